/** Tests of tasks in the Workers of a real browser: streams, files and how tasks end. */

import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import { WasimoffError } from "../../core/errors.ts";
import { STDIN_WINDOW_BYTES } from "../../core/provider/slot_protocol.ts";
import { browserTest } from "../support/chromium.ts";
import { openSlotPage } from "../support/slot_page.ts";
import { ChunkSource, collectingIo, fileOf, guestTask } from "../support/slot_tasks.ts";
import { within } from "../support/within.ts";
import { zipFiles } from "../support/zip_files.ts";

const MIB = 1024 * 1024;
const never = new AbortController().signal;
const ARGS = fileOf(Deno.readFileSync(new URL("../testdata/wasi/args.wasm", import.meta.url)));

function randomBytes(size: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at += 65536) crypto.getRandomValues(bytes.subarray(at, at + 65536));
  return bytes;
}

browserTest("a slot in a browser gives arguments, environment and the guest's own status", async () => {
  await using page = await openSlotPage();
  const task = { ...guestTask([]), module: ARGS, args: ["", "a b", "ü"], env: ["KEY=value", "EMPTY="] };
  const printed = await page.run(task);
  strictEqual(printed.stdout.text, "arg []\narg [a b]\narg [ü]\nenv [KEY=value]\nenv [EMPTY=]\n");
  const module = guestTask([]).module;
  for (const status of [0, 7, 42]) {
    const { outcome } = await page.run({ ...guestTask(["exit", `${status}`]), module });
    deepStrictEqual(outcome, { reason: "exit", origin: "guest", status, message: "" });
  }
  strictEqual((module as ReturnType<typeof fileOf>).loads, 1);
});

browserTest("a slot in a browser passes 1 MiB through stdin and stdout byte for byte", async () => {
  await using page = await openSlotPage();
  const sent = randomBytes(MIB);
  const parts = function* () { // of odd sizes
    for (let at = 0, size = 1; at < sent.length; at += size, size = (size * 7) % 300_007) {
      yield sent.subarray(at, at + size);
    }
  };
  const { outcome, stdout, stderr } = await page.run(guestTask(["echo"]), new ChunkSource(parts()));
  strictEqual(outcome.status, 0);
  strictEqual(stdout.bytes.toBase64() === sent.toBase64(), true);
  deepStrictEqual([stdout.ending, stderr.ending, stderr.size], ["end", "end", 0]);
});

browserTest(
  "a slot in a browser sends output while the guest runs, and ends at once when cancelled",
  async () => {
    await using page = await openSlotPage();
    const slot = await page.startSlot();
    const io = collectingIo();
    const stop = new AbortController();
    const running = slot.run(guestTask(["loop"]), io, stop.signal);
    await within(io.stdout.first.promise, "output of a guest that runs on");
    strictEqual(io.stdout.text, "looping\n");
    stop.abort(new WasimoffError("canceled", "no longer needed"));
    deepStrictEqual((await running).outcome, {
      ...{ reason: "cancelled", origin: "client", status: 143, message: "no longer needed" },
    });
    strictEqual(slot.usable, false);
    await slot.ended;
  },
);

browserTest(
  "a slot in a browser ends a busy loop and a sleeper in time, and the next one works",
  async () => {
    await using page = await openSlotPage();
    for (const mode of ["loop", "sleep"]) {
      const { outcome, durationMs } = await page.run(guestTask([mode], { limits: { timeoutMs: 300 } }));
      deepStrictEqual([outcome.reason, outcome.status], ["timeout", 124]);
      ok(durationMs >= 299 && durationMs < 800, `${mode} ran for ${durationMs} ms`);
      strictEqual((await page.run(guestTask(["exit", "5"]))).outcome.status, 5);
    }
  },
);

browserTest("a slot in a browser takes no more stdin than its guest has room for", async () => {
  await using page = await openSlotPage();
  const chunk = new Uint8Array(64 * 1024);
  const endless = function* () {
    for (;;) yield chunk;
  };
  const stdin = new ChunkSource(endless());
  const { outcome } = await page.run(guestTask(["sleep"], { limits: { timeoutMs: 500 } }), stdin);
  strictEqual(outcome.reason, "timeout");
  // The window, and a chunk that waits for room.
  strictEqual(stdin.taken, STDIN_WINDOW_BYTES + chunk.length);
  strictEqual(stdin.cancelled?.code, "canceled");
});

browserTest(
  "a slot in a browser tells traps and lack of memory, and is replaced after a large guest",
  async () => {
    await using page = await openSlotPage();
    const slot = await page.startSlot();
    const run = async (args: string[], memoryBytes: number) =>
      await slot.run(guestTask(args, { limits: { memoryBytes } }), collectingIo(), never);
    const { outcome } = await run(["trap"], MIB);
    deepStrictEqual([outcome.reason, outcome.origin, outcome.status], ["trap", "guest", 134]);
    // malloc() gives null, which this guest takes for a failure of its own.
    strictEqual((await run(["touch", `${8 * MIB}`], 4 * MIB)).outcome.status, 4);
    strictEqual((await run(["touch", `${8 * MIB}`], 16 * MIB)).outcome.status, 0);
    strictEqual(slot.usable, true);
    strictEqual((await run(["touch", `${65 * MIB}`], 128 * MIB)).outcome.status, 0);
    strictEqual(slot.usable, false);
  },
);

browserTest(
  "a slot in a browser is replaced when its guests have had more memory than it may keep",
  async () => {
    await using page = await openSlotPage();
    const slot = await page.startSlot();
    let runs = 0;
    for (; slot.usable && runs < 20; runs++) {
      const task = guestTask(["touch", `${50 * MIB}`], { limits: { memoryBytes: 60 * MIB } });
      strictEqual((await slot.run(task, collectingIo(), never)).outcome.status, 0);
    }
    strictEqual(runs, 4); // 4 times 50 MiB are more than 60 and 128 MiB
  },
);

browserTest("a slot in a browser unpacks a ZIP afresh for every task and returns artifacts", async () => {
  await using page = await openSlotPage();
  const zip = fileOf(await zipFiles({ "data/in.txt": "from the zip" }));
  const preopens = [{ guest: "/", zip, readOnly: false }];
  const written = await page.run(
    guestTask(["write", "/data/in.txt", "changed"], { preopens, artifacts: ["data/in.txt"] }),
  );
  strictEqual(written.outcome.message, "");
  match(new TextDecoder("latin1").decode(written.artifacts.bytes), /^PK.*data\/in\.txt/s);
  const read = await page.run(guestTask(["cat", "/data/in.txt"], { preopens }));
  strictEqual(read.stdout.text, "from the zip");
  strictEqual(zip.loads, 1);
  const missing = await page.run(guestTask(["exit", "0"], { preopens, artifacts: ["nope"] }));
  match(missing.outcome.message, /"nope"/);
});

browserTest("a slot in a browser passes on why a file could not be had, and lives on", async () => {
  await using page = await openSlotPage();
  const module = { ...fileOf(new Uint8Array([1])), load: () => Promise.reject(gone) };
  const gone = new WasimoffError("not_found", "no such file");
  const slot = await page.startSlot();
  await rejects(slot.run(guestTask([], { module }), collectingIo(), never), { code: "not_found" });
  strictEqual((await slot.run(guestTask(["exit", "5"]), collectingIo(), never)).outcome.status, 5);
});

browserTest(
  "a Worker that cannot be loaded is no slot, and one that fails is gone under its task",
  async () => {
    await using page = await openSlotPage();
    await rejects(page.startSlot("tests/browser/scripts/absent"), { code: "unavailable" });
    const slot = await page.startSlot("tests/browser/scripts/failing_worker.js");
    const io = collectingIo();
    const { outcome } = await slot.run(guestTask(["exit", "0"]), io, never);
    deepStrictEqual(
      [outcome.reason, outcome.origin, outcome.message],
      ["trap", "provider", "slot died under the task: uncaught error"],
    );
    strictEqual((io.stdout.ending as WasimoffError).code, "aborted");
    strictEqual(slot.usable, false);
    await slot.ended;
  },
);
