/** The programs in tests/testdata/wasi/programs: how each is run, and what it must print. */

import { STATUS } from "../../core/outcome.ts";
import { deterministicWorld } from "../../core/wasi/deterministic.ts";
import { File } from "../../core/wasi/file.ts";
import { Directory, emptyDirectory, forkDirectory } from "../../core/wasi/inode.ts";
import type { GuestInput, Preopen, Program } from "../../core/wasi/program.ts";
import { Quota, QUOTA_LIMITS } from "../../core/wasi/quota.ts";
import { runProgram } from "../../core/wasi/run.ts";
import { Symlink } from "../../core/wasi/symlink.ts";
import type { VolumeOptions } from "../../core/wasi/volume.ts";

/** A directory besides the empty `.`; see `sampleDirectory` for what is in it. */
interface SamplePreopen {
  readonly path: string;
  readonly readOnly: boolean;
}

/**
 * Plain data, so that it can be sent to a browser. All but the name, the binary and the output stands in the comment
 * lines at the top of the source, each key as often as needed:
 *
 *     // args: one "two words"
 *     // env: KEY=value
 *     // stdin: a line
 *     // status: 3
 *     // preopen: data
 *     // preopen: sealed read-only
 *     // limit: disk 1000000
 *     // limit: inodes 20
 *     // limit: descriptors 8
 *     // wasi only
 *     // deterministic
 *
 * A status of 134 stands for a trap. `wasi only` marks what has no counterpart on the host; such a program checks
 * itself and prints "ok". `deterministic` has the program run in a `deterministicWorld`: what it prints there was
 * written down once.
 */
export interface WasiProgram {
  /** Path of the source without its ending, e.g. `fd_seek` or `rust/metadata`. */
  readonly name: string;
  /** Without argv[0], which is the name. */
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly stdin: string;
  readonly preopens: readonly SamplePreopen[];
  /** Bytes of disk, inodes and descriptors, where there are fewer than usual. */
  readonly limits: Readonly<Record<string, number>>;
  readonly deterministic: boolean;
  readonly expected: { readonly stdout: string; readonly status: number };
}

const SOURCE = /\.(c|rs|go|ts)$/;

/** Reads all programs, by name; the binaries are beside the sources, as `NAME.wasm`. */
export function loadWasiPrograms(directory: URL): WasiProgram[] {
  const programs: WasiProgram[] = [];
  for (const { name, isDirectory } of Deno.readDirSync(directory)) {
    if (isDirectory) {
      for (const program of loadWasiPrograms(new URL(`${name}/`, directory))) {
        programs.push({ ...program, name: `${name}/${program.name}` });
      }
    } else if (SOURCE.test(name)) {
      const stem = name.replace(SOURCE, "");
      const source = Deno.readTextFileSync(new URL(name, directory));
      programs.push(
        parseWasiProgram(stem, source, Deno.readTextFileSync(new URL(`${stem}.expected`, directory))),
      );
    }
  }
  return programs.toSorted((a, b) => a.name < b.name ? -1 : 1);
}

function parseWasiProgram(name: string, source: string, stdout: string): WasiProgram {
  const values = (key: string) =>
    Array.from(source.matchAll(new RegExp(`^// ${key}: (.*)$`, "gm")), (match) => match[1]!);
  const words = values("args").join(" ").matchAll(/"([^"]*)"|(\S+)/g);
  return {
    name,
    args: Array.from(words, (match) => match[1] ?? match[2]!),
    env: values("env"),
    stdin: values("stdin").map((line) => `${line}\n`).join(""),
    preopens: values("preopen").map((value) => {
      const [path, how] = value.split(" ");
      return { path: path!, readOnly: how === "read-only" };
    }),
    limits: Object.fromEntries(
      values("limit").map((value) => {
        const [what, most] = value.split(" ");
        return [what!, Number(most)];
      }),
    ),
    deterministic: /^\/\/ deterministic$/m.test(source),
    expected: { stdout, status: Number(values("status")[0] ?? 0) },
  };
}

/** Runs a program; null when it did what it must, else what was different. */
export async function checkWasiProgram(program: WasiProgram, wasm: BufferSource): Promise<string | null> {
  const output = { stdout: "", stderr: "" };
  const collect = (stream: keyof typeof output) => {
    const decoder = new TextDecoder();
    return { write: (chunk: Uint8Array) => void (output[stream] += decoder.decode(chunk, { stream: true })) };
  };
  const { ending } = await runProgram({
    ...surroundings(program),
    module: new WebAssembly.Module(wasm),
    stdout: collect("stdout"),
    stderr: collect("stderr"),
  });
  const { stdout, status } = program.expected;
  const ended = ending.kind === "exit" ? ending.status : ending.kind === "trap" ? STATUS.trap : undefined;
  if (output.stdout === stdout && ended === status) return null;
  return `${JSON.stringify(ending)}\n${differingLines(output.stdout, stdout)}${output.stderr}`;
}

/** What is there for every program, besides its module and its outputs. */
function surroundings(program: WasiProgram): Omit<Program, "module" | "stdout" | "stderr"> {
  let input = new TextEncoder().encode(program.stdin);
  const stdin: GuestInput = {
    read(max) {
      const piece = input.subarray(0, max);
      input = input.subarray(piece.length);
      return piece;
    },
  };
  const world = {
    stdin,
    clock: {
      realtimeNs: () => BigInt(Date.now()) * 1_000_000n,
      monotonicNs: () => BigInt(Math.round(performance.now() * 1e6)),
      sleep,
    },
    random: (bytes: Uint8Array) => void crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>),
  };
  return {
    ...(program.deterministic ? deterministicWorld(stdin, () => sleep(0)) : world),
    importedMemory: null,
    startExport: null,
    args: [program.name, ...program.args],
    env: program.env,
    preopens: preopensOf(program),
    maxDescriptors: program.limits["descriptors"] ?? 1024,
    memoryCapBytes: 1024 ** 3,
  };
}

function preopensOf({ preopens, limits }: WasiProgram): Preopen[] {
  const quota = new Quota({
    maxBytes: limits["disk"] ?? QUOTA_LIMITS.maxBytes,
    maxEntries: limits["inodes"] ?? QUOTA_LIMITS.maxEntries,
  });
  return [
    { path: ".", directory: emptyDirectory({ quota }) },
    ...preopens.map(({ path, readOnly }) => ({ path, directory: sampleDirectory({ quota, readOnly }) })),
  ];
}

function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    }, { once: true });
  });
}

/** `file` with the line "contents", `dir/inner` with the line "inner", an empty `empty/`, and `link` -> file. */
function sampleDirectory(options: VolumeOptions): Directory {
  const root = emptyDirectory();
  const { volume } = root;
  const dir = new Directory(volume, 1n);
  root.add("file", File.of(volume, 1n, new TextEncoder().encode("contents\n")), 1n);
  root.add("dir", dir, 1n);
  dir.add("inner", File.of(volume, 1n, new TextEncoder().encode("inner\n")), 1n);
  root.add("empty", new Directory(volume, 1n), 1n);
  root.add("link", new Symlink(volume, 1n, "file"), 1n);
  return forkDirectory(root, options);
}

/** The first lines that differ, of both. */
function differingLines(actual: string, expected: string): string {
  const [ours, theirs] = [actual.split("\n"), expected.split("\n")];
  let text = "";
  for (let line = 0; line < Math.max(ours.length, theirs.length) && text.length < 2000; line++) {
    if (ours[line] === theirs[line]) continue;
    text += `line ${line + 1}: printed ${JSON.stringify(ours[line])}, not ${JSON.stringify(theirs[line])}\n`;
  }
  return text;
}
