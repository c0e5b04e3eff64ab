/** Tests of a task's course against slots that were taken over, stall or die. */

import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import { type Clock, install } from "@sinonjs/fake-timers";
import { WasimoffError } from "../../../core/errors.ts";
import { exited } from "../../../core/outcome.ts";
import { MAX_PYTHON_RESULT_BYTES } from "../../../core/python_run.ts";
import { PipedSlot } from "../../../core/provider/piped_slot.ts";
import type { SlotIo, SlotLimits, SlotResult, SlotTask } from "../../../core/provider/slot.ts";
import { ARTIFACTS_TIMEOUT_MS, PACKING_TIMEOUT_MS } from "../../../core/provider/slot_conversation.ts";
import type { DoneHeader } from "../../../core/provider/slot_headers.ts";
import { taskMemory } from "../../../core/provider/slot_memory.ts";
import { encodeFrame, encodeNumber, FRAME, MAX_FRAME_BYTES } from "../../../core/provider/slot_protocol.ts";
import { PREPARE_TIMEOUT_MS } from "../../../core/provider/slot_supply.ts";
import { ScriptedProcess } from "../../support/scripted_slot.ts";
import { collectingIo, CollectingSink, fileOf, guestTask, StuckSink } from "../../support/slot_tasks.ts";
import { settle } from "../../support/settle.ts";

const never = new AbortController().signal;
const MIB = 1024 * 1024;

function done(changes: Partial<DoneHeader> = {}): string {
  return JSON.stringify({
    ...{ outcome: exited(0), durationMs: 1, memoryBytes: 65536, rssBytes: 0, keptBytes: 0 },
    ...changes,
  });
}

interface Running {
  readonly process: ScriptedProcess;
  readonly slot: PipedSlot;
  readonly result: Promise<SlotResult>;
  readonly io: ReturnType<typeof collectingIo>;
}

/** A task in a slot that is ready; nothing was said about it yet. */
async function start(task: SlotTask, sinks: Partial<SlotIo> = {}, rssBytes = 0): Promise<Running> {
  const process = new ScriptedProcess();
  if (rssBytes > 0) process.used = { cpuMs: 0, rssBytes };
  process.say(FRAME.READY);
  const slot = await PipedSlot.start(process);
  const io = { ...collectingIo(), ...sinks } as Running["io"];
  const result = slot.run(task, io, never);
  result.catch(() => {}); // each test looks at it later
  return { process, slot, result, io };
}

async function withClock(test: (clock: Clock) => Promise<void>): Promise<void> {
  const clock = install();
  try {
    await test(clock);
    strictEqual(clock.countTimers(), 0);
  } finally {
    clock.uninstall();
  }
}

const withArtifacts = (limits: Partial<SlotLimits> = {}) => guestTask([], { artifacts: ["out"], limits });

Deno.test("a slot that does things in the wrong order is killed", async () => {
  const task = withArtifacts();
  const need = encodeFrame(FRAME.NEED, new TextEncoder().encode(task.module.ref));
  const [started, part] = [encodeFrame(FRAME.STARTED), encodeFrame(FRAME.ARTIFACTS, new Uint8Array(10))];
  const end = encodeFrame(FRAME.DONE, new TextEncoder().encode(done()));
  const output = encodeFrame(FRAME.STDOUT, new Uint8Array(10));
  const lies: readonly [string, readonly Uint8Array[]][] = [
    ["its guest starts twice", [started, started]],
    ["it asks for a file after its guest's start", [started, need]],
    ["which the task does not need", [need, need]],
    ["its guest ends twice", [encodeFrame(FRAME.ENDED), encodeFrame(FRAME.ENDED)]],
    ["a frame of type 25 after the guest's end", [part, encodeFrame(FRAME.ENDED)]],
    ["a frame of type 19 after the guest's end", [part, output]],
    ["a frame of type 22 after the guest's end", [part, encodeNumber(FRAME.CREDIT, 1)]],
    ["a frame of type 18 after the guest's end", [part, started]],
    ["it goes on after its end", [end, output]],
    ["it goes on after its end", [end, end]],
    ["it goes on after its end", [end, new Uint8Array(3)]],
  ];
  for (const [what, frames] of lies) {
    const { process, slot, result, io } = await start(task);
    process.sayRaw(new Uint8Array(frames.flatMap((frame) => [...frame])));
    await rejects(result, (error: WasimoffError) => {
      ok(error.message.endsWith(what), error.message);
      return error.code === "internal";
    });
    deepStrictEqual([process.killed, slot.usable], [true, false], what);
    strictEqual((io.stdout.ending as WasimoffError).code, "internal");
  }
});

Deno.test("only a Python slot returns a result, after its program's end and within the limit", async () => {
  const python = { kind: "script", packages: [] } as const;
  const result = () => ({ ...collectingIo(), result: new CollectingSink() });
  const plain = await start(guestTask([]), result());
  plain.process.say(FRAME.RESULT, "x");
  await rejects(plain.result, /a larger result than there may be$/);
  const talking = await start({ ...guestTask([]), python }, result());
  talking.process.say(FRAME.RESULT, "x");
  talking.process.say(FRAME.STDOUT, "x");
  await rejects(talking.result, /a frame of type 19 after the guest's end$/);
  const io = result();
  const good = await start({ ...guestTask([]), python }, io);
  for (const part of ["pick", "le"]) good.process.say(FRAME.RESULT, part);
  good.process.say(FRAME.DONE, done());
  strictEqual((await good.result).outcome.reason, "exit");
  deepStrictEqual([io.result.text, io.result.ending], ["pickle", "end"]);
  const large = await start({ ...guestTask([]), python });
  const part = encodeFrame(FRAME.RESULT, new Uint8Array(MAX_FRAME_BYTES));
  for (let bytes = 0; bytes <= MAX_PYTHON_RESULT_BYTES; bytes += MAX_FRAME_BYTES) large.process.sayRaw(part);
  await rejects(large.result, /a larger result than there may be$/);
});

Deno.test("a Python slot may ask for each wheel of its provider once, before its program starts", async () => {
  const wheel = { ref: "a-1-py3-none-any.whl", load: () => Promise.resolve(new Uint8Array([1])) };
  const process = new ScriptedProcess();
  process.say(FRAME.READY);
  const slot = await PipedSlot.start(process, { wheels: [wheel], maxTasks: 1 });
  const task = { ...guestTask([]), python: { kind: "script", packages: [] } as const };
  const ran = slot.run(task, collectingIo(), never);
  process.say(FRAME.NEED, wheel.ref);
  await settle();
  deepStrictEqual(process.heard, ["RUN", "FILE", "FILE_CHUNK"]);
  process.say(FRAME.NEED, wheel.ref);
  await rejects(ran, /which the task does not need$/);
});

Deno.test("a slot that asks for a file with an endless name is quoted in short", async () => {
  const { process, result } = await start(guestTask([]));
  process.say(FRAME.NEED, "x".repeat(1_000_000));
  await rejects(result, ({ message }: WasimoffError) => message.length < 250);
});

Deno.test("a slot may ask for a file once for each place where the task has it", async () => {
  const zip = fileOf(new Uint8Array([1]));
  const preopens = ["a", "b"].map((guest) => ({ guest, zip, readOnly: true }));
  const { process, result } = await start(guestTask([], { preopens }));
  for (const asked of [1, 2]) {
    process.say(FRAME.NEED, zip.ref);
    await settle();
    deepStrictEqual([zip.loads, process.killed], [asked, false]);
  }
  process.say(FRAME.NEED, zip.ref);
  await rejects(result, { code: "internal" });
  strictEqual(zip.loads, 2);
});

Deno.test("more artifacts than were asked for are refused before they are passed on", async () => {
  for (const task of [guestTask([]), withArtifacts({ artifactBytes: 9 })]) {
    const { process, result, io } = await start(task);
    process.say(FRAME.ARTIFACTS, new Uint8Array(10));
    await rejects(result, /more artifacts than it was asked for/);
    deepStrictEqual([io.artifacts.size, process.killed], [0, true]);
  }
});

Deno.test("an end that a slot cannot mean kills it", async () => {
  const cap = guestTask([]).limits.memoryBytes;
  const ends: readonly [RegExp, Partial<DoneHeader>][] = [
    [/cannot end with "cancelled" by client/, {
      outcome: { ...exited(0), reason: "cancelled", origin: "client" },
    }],
    [/cannot end with "memory" by provider/, {
      outcome: { ...exited(0), reason: "memory", origin: "provider" },
    }],
    [/had more memory than there was/, { memoryBytes: cap + 1 }],
    [/its status is no unsigned word/, { outcome: exited(2 ** 32) }],
  ];
  for (const [message, changes] of ends) {
    const { process, slot, result } = await start(guestTask([]));
    process.say(FRAME.DONE, done(changes));
    await rejects(result, message);
    deepStrictEqual([process.killed, slot.usable], [true, false]);
  }
});

Deno.test("output beyond its limit ends the task, and what was within it is delivered", async () => {
  const { process, slot, result, io } = await start(guestTask([], { limits: { outputBytes: 10 } }));
  process.say(FRAME.STDOUT, "12345");
  process.say(FRAME.STDERR, "678");
  process.say(FRAME.STDOUT, "90abc");
  process.say(FRAME.STDERR, "more");
  deepStrictEqual((await result).outcome, {
    reason: "limit",
    origin: "provider",
    status: 125,
    message: "guest wrote more output than its limit: 10 bytes",
  });
  deepStrictEqual([io.stdout.text, io.stderr.text, io.stdout.ending], ["1234590", "678", "end"]);
  deepStrictEqual([process.killed, slot.usable], [true, false]);
});

Deno.test("output of exactly its limit is fine", async () => {
  const { process, slot, result, io } = await start(guestTask([], { limits: { outputBytes: 10 } }));
  process.say(FRAME.STDOUT, "1234567890");
  process.say(FRAME.STDOUT, "");
  process.say(FRAME.DONE, done());
  deepStrictEqual([(await result).outcome.reason, io.stdout.text, slot.usable], ["exit", "1234567890", true]);
});

Deno.test("too much output ends the task also when nobody reads it", async () => {
  const { process, result, io } = await start(guestTask([], { limits: { outputBytes: 10 } }), {
    stdout: new StuckSink(),
  });
  process.say(FRAME.STDOUT, "12345678901");
  deepStrictEqual([(await result).outcome.reason, io.stdout.text], ["limit", "1234567890"]);
});

Deno.test("a slot that does not take a file has its time, and can be cancelled", () =>
  withClock(async (clock) => {
    for (const cancelled of [false, true]) {
      const { process, slot, result } = await start(guestTask([]));
      process.write = () => new Promise(() => {}); // a full pipe
      process.say(FRAME.NEED, guestTask([]).module.ref);
      await clock.tickAsync(PREPARE_TIMEOUT_MS - 1);
      strictEqual(process.killed, false);
      if (cancelled) await slot.close();
      else await clock.tickAsync(1);
      if (cancelled) await rejects(result, { code: "unavailable" });
      else match((await result).outcome.message, /^preparing the module and its files took longer/);
      strictEqual(process.killed, true);
    }
  }));

Deno.test("a slot that cannot have a file must say so in time", () =>
  withClock(async (clock) => {
    const module = {
      ...fileOf(new Uint8Array()),
      load: () => Promise.reject(new WasimoffError("not_found", "gone")),
    };
    const { process, result } = await start(guestTask([], { module }));
    process.say(FRAME.NEED, module.ref);
    await clock.tickAsync(PREPARE_TIMEOUT_MS);
    strictEqual((await result).outcome.reason, "timeout");
    strictEqual(process.heard.at(-1), "FILE_FAILED");
  }));

Deno.test("a slot packs artifacts in a time of its own, whatever the guest had left", () =>
  withClock(async (clock) => {
    const { process, result, io } = await start(withArtifacts({ timeoutMs: 1_000 }));
    process.say(FRAME.STARTED);
    await clock.tickAsync(999);
    process.say(FRAME.ENDED);
    await clock.tickAsync(PACKING_TIMEOUT_MS - 1);
    strictEqual(process.killed, false);
    process.say(FRAME.STDERR, "said while packing");
    await settle();
    strictEqual(io.stderr.text, "said while packing");
    await clock.tickAsync(1);
    const { reason, message } = (await result).outcome;
    deepStrictEqual([reason, message], ["timeout", "packing artifacts took longer than 60000 ms"]);
  }));

Deno.test("a slot that never ends its artifacts is ended, however slowly they are read", () =>
  withClock(async (clock) => {
    const room = Promise.withResolvers<void>();
    const slow = new class extends CollectingSink {
      override write(chunk: Uint8Array): Promise<void> {
        void super.write(chunk);
        return room.promise;
      }
    }();
    const { process, result } = await start(withArtifacts({ timeoutMs: 1_000 }), { artifacts: slow });
    process.say(FRAME.ARTIFACTS, new Uint8Array(10));
    await clock.tickAsync(10 * ARTIFACTS_TIMEOUT_MS); // waiting for the reader is none of the slot's time
    strictEqual(process.killed, false);
    room.resolve();
    await clock.tickAsync(ARTIFACTS_TIMEOUT_MS / 2);
    process.say(FRAME.ARTIFACTS, ""); // says nothing, gains nothing
    await clock.tickAsync(ARTIFACTS_TIMEOUT_MS / 2 - 1);
    strictEqual(process.killed, false);
    await clock.tickAsync(1);
    deepStrictEqual((await result).outcome, {
      reason: "timeout",
      origin: "provider",
      status: 124,
      message: "sending artifacts took longer than 30000 ms",
    });
  }));

Deno.test("a slot that dies without a known cause is told by the provider, as memory when it had much", () =>
  withClock(async (clock) => {
    const cap = 100 * MIB;
    const task = guestTask([], { limits: { memoryBytes: cap } });
    for (const [gained, reason, status] of [[94, "trap", 134], [95, "memory", 137]] as const) {
      const { process, slot, result, io } = await start(task, {}, 60 * MIB);
      process.used = { cpuMs: 0, rssBytes: (60 + gained) * MIB };
      process.say(FRAME.STDOUT, "begun");
      await clock.tickAsync(200);
      process.used = null;
      process.exit("signal SIGABRT");
      deepStrictEqual((await result).outcome, {
        ...{ reason, origin: "provider", status },
        message: "slot died under the task: signal SIGABRT",
      });
      strictEqual(slot.usable, false);
      deepStrictEqual([io.stdout.text, (io.stdout.ending as WasimoffError).code], ["begun", "aborted"]);
    }
  }));

Deno.test("a slot that dies before anybody has looked at it is a trap", async () => {
  const { process, result } = await start(guestTask([], { limits: { memoryBytes: 65536 } }), {}, 60 * MIB);
  process.exit("exit status 1");
  const { outcome } = await result;
  deepStrictEqual([outcome.reason, outcome.origin], ["trap", "provider"]);
});

Deno.test("memory that a slot had before the task, and files that it is sent, are not held against the guest", () =>
  withClock(async (clock) => {
    const before = 80 * MIB;
    const module = fileOf(new Uint8Array(2 * MIB));
    const task = guestTask([], { module, limits: { memoryBytes: 16 * MIB, diskBytes: 16 * MIB } });
    const allowed = before + taskMemory(task.limits, false) + 16 * MIB;
    const { process, result } = await start(task, {}, before);
    process.used = { cpuMs: 0, rssBytes: allowed };
    process.say(FRAME.NEED, module.ref);
    process.say(FRAME.STARTED);
    await clock.tickAsync(1_000);
    strictEqual(process.killed, false);
    process.used = { cpuMs: 0, rssBytes: allowed + 1 };
    await clock.tickAsync(200);
    const { outcome } = await result;
    deepStrictEqual([outcome.reason, outcome.origin, outcome.status], ["memory", "guest", 137]);
  }));

Deno.test("PipedSlot.close() under a task says nothing about the task", async () => {
  const { process, slot, result, io } = await start(guestTask([]));
  await slot.close();
  await rejects(result, { code: "unavailable", message: "slot was closed under the task" });
  deepStrictEqual([process.killed, slot.usable], [true, false]);
  strictEqual((io.stdout.ending as WasimoffError).code, "unavailable");
});
