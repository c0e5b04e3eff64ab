/**
 * What a rootfs costs: unpacking it once, a copy for each task with the first touch of a file, and whole tasks in a
 * real slot. Prints each figure beside its floor from the same run and its target; ends with status 1 when a target
 * is missed.
 */

// deno-lint-ignore-file no-console -- prints what it measures
import zlib from "node:zlib";
import { Uint8ArrayReader, Uint8ArrayWriter, ZipWriter } from "@zip.js/zip.js";
import { packArtifacts } from "../../core/wasi/artifacts.ts";
import { Directory, forkDirectory } from "../../core/wasi/inode.ts";
import { unpackZip } from "../../core/wasi/rootfs.ts";
import { openRealSlot } from "../support/real_slots.ts";
import { collectingIo, fileOf, guestTask } from "../support/slot_tasks.ts";

const MB = 1_000_000;
const SMALL_FILES = 10_000;
const SMALL_BYTES = 1_000;
const ROUNDS = 5;
const FORKS = 10_000;
const TASKS = 100;
let missed = 0;

interface Figure {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  readonly max: number;
  readonly floor?: { readonly what: string; readonly value: number };
}

function report({ what, value, unit, max, floor }: Figure): void {
  const ok = value <= max;
  if (!ok) missed++;
  const beside = floor === undefined ? "" : `, floor ${floor.value.toFixed(3)} (${floor.what})`;
  console.log(`${ok ? "ok    " : "MISSED"} ${what}: ${value.toFixed(3)} ${unit} (at most ${max})${beside}`);
}

/** The median of several runs, in milliseconds. */
async function median(run: () => unknown, rounds = ROUNDS): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const startedMs = performance.now();
    await run();
    times.push(performance.now() - startedMs);
  }
  return times.sort((a, b) => a - b)[rounds >> 1]!;
}

/** Half of it random, half of it zeros. */
function contents(bytes: number): Uint8Array<ArrayBuffer> {
  const data = new Uint8Array(bytes);
  for (let at = 0; at < bytes; at += 65_536) {
    crypto.getRandomValues(data.subarray(at, Math.min(at + 32_768, bytes)));
  }
  return data;
}

/** A ZIP as other programs make it. */
async function zipOf(files: ReadonlyMap<string, Uint8Array>, level: number): Promise<Uint8Array> {
  const writer = new ZipWriter(new Uint8ArrayWriter(), { useWebWorkers: false, level });
  for (const [name, data] of files) await writer.add(name, new Uint8ArrayReader(data));
  return await writer.close();
}

function firstFile(directory: Directory): void {
  for (let inode = directory.list()[0]!.inode; inode instanceof Directory;) inode = inode.list()[0]!.inode;
}

async function unpacking(): Promise<Directory[]> {
  const roots: Directory[] = [];
  const copy = await median(() => LARGE.stored.slice());
  const largeMs = await median(async () => roots.push((await unpackZip(LARGE.stored)).root));
  const copied = { what: "copy of its bytes", value: copy };
  report({ what: "unpack 100 MB, stored", value: largeMs, unit: "ms", max: 500, floor: copied });
  const inflate = { what: "zlib alone", value: await median(() => zlib.inflateRawSync(packedLarge), 3) };
  const packedMs = await median(() => unpackZip(LARGE.packed), 3);
  report({ what: "unpack 100 MB, deflated", value: packedMs, unit: "ms", max: 1500, floor: inflate });
  const smallMs = await median(async () => roots.push((await unpackZip(SMALL.stored)).root));
  report({ what: "unpack 10,000 small files, stored", value: smallMs, unit: "ms", max: 4000 });
  const each = await median(() => {
    for (let file = 0; file < SMALL_FILES; file++) zlib.inflateRawSync(packedText);
  });
  const alone = { what: "zlib alone, file by file", value: each };
  const inflatedMs = await median(() => unpackZip(SMALL.packed));
  report({
    what: "unpack 10,000 small files, deflated",
    value: inflatedMs,
    unit: "ms",
    max: 4000,
    floor: alone,
  });
  return [roots[0]!, roots.at(-1)!];
}

async function forking([large, small]: readonly Directory[]): Promise<void> {
  for (const [what, root, name] of [["100 MB", large!, "lib"], ["10,000 files", small!, "d7"]] as const) {
    const ms = await median(() => {
      for (let task = 0; task < FORKS; task++) forkDirectory(root).lookup(name);
    });
    report({ what: `copy of ${what} for a task, one look`, value: ms * 1000 / FORKS, unit: "us", max: 5 });
    const firstMs = await median(() => {
      for (let task = 0; task < FORKS / 100; task++) firstFile(forkDirectory(root));
    });
    const perTask = firstMs * 1000 / (FORKS / 100);
    report({ what: `copy of ${what}, listed down to one file`, value: perTask, unit: "us", max: 200 });
  }
  const preopens = [{ path: "/", directory: forkDirectory(small!) }];
  const packMs = await median(() => packArtifacts(preopens, ["/**/*"], { maxBytes: 2 ** 30 }));
  report({ what: "pack 10,000 small files as artifacts", value: packMs, unit: "ms", max: 4000 });
}

async function tasks(): Promise<void> {
  await using real = await openRealSlot();
  const run = async (zip: Uint8Array | null) => {
    const preopens = [{ guest: "/", zip: zip && file, readOnly: false }];
    const { outcome } = await real.slot.run(
      guestTask(["exit", "0"], { preopens, limits: LIMITS }),
      collectingIo(),
      new AbortController().signal,
    );
    if (outcome.status !== 0 || !real.slot.usable) throw new Error(`the slot ended: ${outcome.message}`);
  };
  const file = fileOf(LARGE.stored);
  await run(null);
  const first = await median(() => run(LARGE.stored), 1);
  const with100 = await median(() => run(LARGE.stored), TASKS);
  const without = await median(() => run(null), TASKS);
  report({ what: "first task with a 100 MB rootfs", value: first, unit: "ms", max: 1000 });
  const floor = { what: "the same task without it", value: without };
  report({ what: "further tasks with it", value: with100, unit: "ms", max: without + 0.2, floor });
}

const LIMITS = { memoryBytes: 32 * 1024 * 1024, diskBytes: 1024 ** 3 };
const megabyte = contents(MB);
const text = new TextEncoder().encode("some words that are packed well, ".repeat(40)).subarray(
  0,
  SMALL_BYTES,
);
const packedText = new Uint8Array(zlib.deflateRawSync(text));
const largeFiles = new Map(Array.from({ length: 100 }, (_, index) => [`lib/${index}`, megabyte] as const));
const smallFiles = new Map(
  Array.from({ length: SMALL_FILES }, (_, index) => [`d${index % 100}/${index}`, text] as const),
);
const packedLarge = new Uint8Array(zlib.deflateRawSync(await new Blob(Array(100).fill(megabyte)).bytes()));
const LARGE = { stored: await zipOf(largeFiles, 0), packed: await zipOf(largeFiles, 6) };
const SMALL = { stored: await zipOf(smallFiles, 0), packed: await zipOf(smallFiles, 6) };

await forking(await unpacking());
await tasks();
Deno.exit(missed > 0 ? 1 : 0);
