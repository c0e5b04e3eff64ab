/** Tests of tasks in real slot processes: streams, files and how tasks end. */

import { deepStrictEqual, match, rejects, strictEqual } from "node:assert/strict";
import { WasimoffError } from "../../core/errors.ts";
import { failed } from "../../core/outcome.ts";
import { packZip } from "../../core/wasi/zip_writer.ts";
import { zipFiles } from "../support/zip_files.ts";
import { openRealSlot } from "../support/real_slots.ts";
import { ChunkSource, collectingIo, fileOf, guestTask } from "../support/slot_tasks.ts";

const never = new AbortController().signal;
const MIB = 1024 * 1024;

Deno.test("Slot.run() passes 10 MiB through stdin and stdout byte for byte", async () => {
  await using real = await openRealSlot();
  const sent = new Uint8Array(10 * MIB);
  for (let at = 0; at < sent.length; at += 65536) crypto.getRandomValues(sent.subarray(at, at + 65536));
  const parts = function* () { // of odd sizes, also larger than a frame
    for (let at = 0, size = 1; at < sent.length; at += size, size = (size * 7) % 300_007) {
      yield sent.subarray(at, at + size);
    }
  };
  const io = collectingIo(new ChunkSource(parts()));
  const { outcome } = await real.slot.run(guestTask(["echo"]), io, never);
  strictEqual(outcome.status, 0);
  strictEqual(io.stdout.size, sent.length);
  const got = new Uint8Array(await new Blob(io.stdout.chunks as Uint8Array<ArrayBuffer>[]).arrayBuffer());
  strictEqual(got.every((byte, index) => byte === sent[index]), true);
  deepStrictEqual([io.stdout.ending, io.stderr.ending, io.artifacts.ending], ["end", "end", "end"]);
});

Deno.test("Slot.run() gives the guest's own status and asks for a module only once", async () => {
  await using real = await openRealSlot();
  const module = fileOf(Deno.readFileSync(new URL("../testdata/slot/guest.wasm", import.meta.url)));
  for (const status of [0, 7, 42]) {
    const { outcome } = await real.slot.run(
      guestTask(["exit", `${status}`], { module }),
      collectingIo(),
      never,
    );
    deepStrictEqual(outcome, { reason: "exit", origin: "guest", status, message: "" });
  }
  strictEqual(module.loads, 1);
});

Deno.test("Slot.run() tells a trap from an exit", async () => {
  await using real = await openRealSlot();
  const { outcome } = await real.slot.run(guestTask(["trap"]), collectingIo(), never);
  deepStrictEqual([outcome.reason, outcome.origin, outcome.status], ["trap", "guest", 134]);
});

Deno.test("Slot.run() rejects modules that are none with 126, and the slot lives on", async () => {
  await using real = await openRealSlot();
  const truncated = Deno.readFileSync(new URL("../testdata/slot/guest.wasm", import.meta.url)).slice(0, -100);
  for (const bytes of [new Uint8Array(), new TextEncoder().encode("#!/bin/sh"), truncated]) {
    const { outcome } = await real.slot.run(guestTask([], { module: fileOf(bytes) }), collectingIo(), never);
    deepStrictEqual([outcome.reason, outcome.origin, outcome.status], ["rejected", "provider", 126]);
  }
  strictEqual(real.slot.usable, true);
  strictEqual((await real.slot.run(guestTask(["exit", "5"]), collectingIo(), never)).outcome.status, 5);
});

Deno.test("Slot.run() rejects with the error of load(), and the slot lives on", async () => {
  await using real = await openRealSlot();
  const gone = new WasimoffError("not_found", "no such file");
  const module = { ...fileOf(new Uint8Array([1])), load: () => Promise.reject(gone) };
  const io = collectingIo();
  await rejects(real.slot.run(guestTask([], { module }), io, never), gone);
  strictEqual(io.stdout.ending, gone);
  strictEqual((await real.slot.run(guestTask(["exit", "5"]), collectingIo(), never)).outcome.status, 5);
});

Deno.test("Slot.run() unpacks a ZIP for the guest, afresh for every task", async () => {
  await using real = await openRealSlot();
  const zip = fileOf(await zipFiles({ "data/in.txt": "from the zip" }));
  const preopens = [{ guest: "/", zip, readOnly: false }];
  const write = guestTask(["write", "/data/in.txt", "changed"], { preopens });
  strictEqual((await real.slot.run(write, collectingIo(), never)).outcome.status, 0);
  const io = collectingIo();
  await real.slot.run(guestTask(["cat", "/data/in.txt"], { preopens }), io, never);
  strictEqual(io.stdout.text, "from the zip");
  strictEqual(zip.loads, 1);
});

Deno.test("Slot.run() keeps a large rootfs for later tasks and is not recycled for it", async () => {
  await using real = await openRealSlot();
  const size = 180 * MIB; // more than a slot may grow by otherwise
  const zip = fileOf(
    await packZip([{ name: "a", kind: "file", executable: false, mtimeMs: 0, size, read() {} }]),
  );
  const preopens = [{ guest: "/", zip, readOnly: false }];
  for (let task = 0; task < 3; task++) {
    const { outcome } = await real.slot.run(guestTask(["exit", "0"], { preopens }), collectingIo(), never);
    deepStrictEqual([outcome.reason, real.slot.usable, zip.loads], ["exit", true, 1]);
  }
});

Deno.test("Slot.run() rejects ZIPs that are too large only together", async () => {
  await using real = await openRealSlot();
  const size = 128 * MIB;
  const zip = fileOf(
    await packZip([{ name: "a", kind: "file", executable: false, mtimeMs: 0, size, read() {} }]),
  );
  const preopens = Array.from({ length: 9 }, (_, index) => ({ guest: `${index}`, zip, readOnly: false }));
  const { outcome } = await real.slot.run(guestTask(["exit", "0"], { preopens }), collectingIo(), never);
  const message = "the ZIPs of the task hold more than 1073741824 bytes when unpacked";
  deepStrictEqual(outcome, failed("rejected", "provider", message));
});

Deno.test("Slot.run() rejects a ZIP that is none with 125", async () => {
  await using real = await openRealSlot();
  const preopens = [{ guest: "/", zip: fileOf(new Uint8Array(100)), readOnly: false }];
  const { outcome } = await real.slot.run(guestTask([], { preopens }), collectingIo(), never);
  deepStrictEqual([outcome.reason, outcome.origin, outcome.status], ["rejected", "provider", 125]);
  strictEqual(real.slot.usable, true);
});

Deno.test("Slot.run() delivers the artifacts that exist and names the one that does not", async () => {
  await using real = await openRealSlot();
  const preopens = [{ guest: ".", zip: null, readOnly: false }];
  const run = async (artifacts: string[], status = "0") => {
    const io = collectingIo();
    const task = guestTask(["write", "out.txt", "result", status], { preopens, artifacts });
    const { outcome } = await real.slot.run(task, io, never);
    match(new TextDecoder("latin1").decode(io.artifacts.bytes), /^PK.*out\.txt/s);
    strictEqual(io.artifacts.ending, "end");
    return outcome;
  };
  strictEqual((await run(["out.txt"])).reason, "exit");
  const missing = 'artifact not found: "nope"';
  const many = 'artifact not found: "n?pe", "c", "d" and 1 more';
  deepStrictEqual(await run(["out.txt", "nope"]), failed("rejected", "provider", missing));
  deepStrictEqual(await run(["n?pe", "out.*", "c", "d", "e"]), failed("rejected", "provider", many));
});

Deno.test("Slot.run() keeps the guest's own status and says on stderr what is missing", async () => {
  await using real = await openRealSlot();
  const preopens = [{ guest: ".", zip: null, readOnly: false }];
  const io = collectingIo();
  const task = guestTask(["write", "out.txt", "result", "9"], { preopens, artifacts: ["out.txt", "nope"] });
  const { outcome } = await real.slot.run(task, io, never);
  deepStrictEqual([outcome.reason, outcome.status], ["exit", 9]);
  strictEqual(io.stderr.text, 'wasimoff: artifact not found: "nope"\n');
  match(new TextDecoder("latin1").decode(io.artifacts.bytes), /^PK.*out\.txt/s);
});

Deno.test("Slot.run() sends no artifacts when nothing is there, or the guest has not exited", async () => {
  await using real = await openRealSlot();
  for (const args of [["exit", "0"], ["trap"]]) {
    const io = collectingIo();
    await real.slot.run(guestTask(args, { artifacts: args[0] === "trap" ? ["."] : ["nope"] }), io, never);
    deepStrictEqual([io.artifacts.size, io.artifacts.ending], [0, "end"]);
  }
});

Deno.test("Slot.run() rejects too many patterns before the guest runs", async () => {
  await using real = await openRealSlot();
  const io = collectingIo();
  const task = guestTask(["write", "x", "x", "9"], { artifacts: Array(1025).fill("*") });
  const { outcome } = await real.slot.run(task, io, never);
  deepStrictEqual(outcome, failed("rejected", "provider", "more than 1024 paths of artifacts"));
});

Deno.test("Slot.run() holds all directories of a task to one quota", async () => {
  await using real = await openRealSlot();
  const preopens = ["/", "data"].map((guest) => ({ guest, zip: null, readOnly: false }));
  const write = (path: string, limits: object) =>
    real.slot.run(guestTask(["write", path, "x".repeat(2000)], { preopens, limits }), collectingIo(), never);
  strictEqual((await write("/data/x", { diskBytes: 4096, inodes: 1 })).outcome.status, 0);
  for (const limits of [{ diskBytes: 1000 }, { inodes: 0 }]) {
    strictEqual((await write("/data/x", limits)).outcome.status !== 0, true);
  }
});

Deno.test("Slot.run() refuses artifacts beyond their limit", async () => {
  await using real = await openRealSlot();
  const task = guestTask(["write", "out.txt", "x".repeat(5000)], {
    preopens: [{ guest: ".", zip: null, readOnly: false }],
    artifacts: ["out.txt"],
    limits: { artifactBytes: 60 },
  });
  const io = collectingIo();
  const { outcome } = await real.slot.run(task, io, never);
  deepStrictEqual([outcome.reason, outcome.status], ["limit", 125]);
  strictEqual(io.artifacts.size, 0);
});
