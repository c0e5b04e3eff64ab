/** One attempt on a provider of wasimoff_v1: what is asked, what is made of the answer, and when time is up. */

import assert from "node:assert/strict";
import { create, fromJson, type JsonObject } from "@bufbuild/protobuf";
import { type Clock, install } from "@sinonjs/fake-timers";
import { CANCEL_TIMEOUT_MS, MAX_TASK_V1_MS, runAttemptV1 } from "../../../core/broker/attempt_v1.ts";
import { MAX_COLLECTED_STDIN_BYTES } from "../../../core/broker/collect_stdin.ts";
import { TaskTrace } from "../../../core/broker/task_trace.ts";
import { WasimoffError } from "../../../core/errors.ts";
import { exited, failed } from "../../../core/outcome.ts";
import type { PayloadV1 } from "../../../core/protocol/envelope_v1.ts";
import {
  Task_Pyodide_RequestSchema,
  Task_Pyodide_ResponseSchema,
  Task_Wasip1_RequestSchema,
  Task_Wasip1_ResponseSchema,
} from "../../../core/protocol/gen/wasimoff/v1/messages_pb.ts";
import { MessengerV1 } from "../../../core/protocol/messenger_v1.ts";
import { attemptOf, type TestAttempt } from "../../support/attempt_io.ts";
import { TextSink } from "../../support/memory_cluster.ts";
import { MemoryMessages } from "../../support/message_pipes.ts";
import { ref } from "./dispatcher/test_dispatcher.ts";

type Answer = (request: PayloadV1) => PayloadV1 | Promise<PayloadV1>;

const PROGRAM = new TextEncoder().encode("6 * 7");
const b64 = (text: string) => btoa(text);
const never = () => new Promise<never>(() => {});
const response = (fields: JsonObject) => fromJson(Task_Wasip1_ResponseSchema, fields);

/** Runs an attempt on a peer that answers tasks so, and cancels by an echo unless it is told otherwise. */
function start(attempt: TestAttempt, answer: Answer, cancel: Answer = (request) => request) {
  const [pipe, peer] = MemoryMessages.pair();
  const asked: PayloadV1[] = [];
  const stuck: WasimoffError[] = [];
  new MessengerV1(peer, "binary", {
    request: (payload) => {
      asked.push(payload);
      return Promise.resolve((payload.$typeName === "wasimoff.v1.Task.Cancel" ? cancel : answer)(payload));
    },
    event: () => {},
  });
  const messenger = new MessengerV1(pipe, "binary", { request: never, event: () => {} });
  const report = runAttemptV1(attempt, {
    messenger,
    provider: "old",
    file: (ref, media) => Promise.resolve({ ref, media }),
    program: () => Promise.resolve(PROGRAM),
    stuck: (cause) => void stuck.push(cause),
  });
  return { report, asked, stuck, messenger };
}

async function withClock(run: (clock: Clock) => Promise<void>): Promise<void> {
  const clock = install({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  try {
    await run(clock);
  } finally {
    clock.uninstall();
  }
}

Deno.test("a request carries the whole task, and nothing that was not asked for", async () => {
  const trace = new TaskTrace({ createdNs: 5n, moments: [{ event: 11, unixNano: 6n }], now: () => 1 });
  const attempt = attemptOf({
    module: ref(1),
    args: ["x", "y"],
    env: ["K=v"],
    preopens: [{ guest: "/", zip: ref(2), readOnly: false }],
    artifacts: ["o"],
    priority: true,
    deadline: 1_700_000_000_500,
  });
  const { report, asked } = start(
    { ...attempt, origin: { ...attempt.origin, trace } },
    () => response({ ok: { artifacts: { blob: b64("zip") } } }),
  );
  await report;
  assert.deepEqual(asked, [fromJson(Task_Wasip1_RequestSchema, {
    info: {
      id: "a7",
      requester: "10.0.0.1:5",
      provider: "old",
      reference: "mine",
      trace: { created: "5", events: [{ unixnano: "6", event: "ClientTransmitRequest" }] },
    },
    qos: { priority: true, deadline: "2023-11-14T22:13:20.500Z" },
    params: {
      binary: { ref: ref(1), media: "application/wasm" },
      args: ["x", "y"],
      envs: ["K=v"],
      stdin: "",
      rootfs: { ref: ref(2), media: "application/zip" },
      artifacts: ["o"],
    },
  })]);
});

Deno.test("a Python task brings its program, and its result and version are told", async () => {
  const attempt = attemptOf({
    ...{ args: ["script.py"], env: ["K=v"], python: { kind: "script", packages: ["six"] } },
    preopens: [{ guest: "/mnt", zip: ref(2), readOnly: false }],
  });
  const result = new TextSink();
  const answer = fromJson(Task_Pyodide_ResponseSchema, {
    ok: { stdout: b64("out"), pickle: b64("pickle"), version: "0.27.2" },
  });
  const { report, asked } = start({ ...attempt, io: { ...attempt.io, result } }, () => answer);
  const { outcome, pythonVersion } = await report;
  assert.deepEqual([outcome, pythonVersion], [exited(0), "0.27.2"]);
  assert.deepEqual([attempt.io.stdout.text, result.text, result.state], ["out", "pickle", "ended"]);
  assert.deepEqual(asked, [fromJson(Task_Pyodide_RequestSchema, {
    info: { id: "a7", requester: "10.0.0.1:5", provider: "old", reference: "mine" },
    qos: {},
    params: {
      ...{ packages: ["six"], script: "6 * 7", envs: ["K=v"], stdin: "" },
      rootfs: { ref: ref(2), media: "application/zip" },
    },
  })]);
});

Deno.test("an exception in Python is told by its traceback, and an answer of another kind is none", async () => {
  const python = { kind: "pickle", packages: [] } as const;
  const error = fromJson(Task_Pyodide_ResponseSchema, { error: "Traceback: ValueError" });
  const { outcome } = await start(attemptOf({ python }), () => error).report;
  assert.deepEqual(outcome, failed("trap", "guest", "Traceback: ValueError", 1));
  const wasi = start(attemptOf({ python }), () => response({ ok: {} }));
  await assert.rejects(wasi.report, { code: "internal" });
  await assert.rejects(start(attemptOf({}), () => error).report, { code: "internal" });
});

Deno.test("outputs are written whole, then the end is told, with what the provider saw", async () => {
  const attempt = attemptOf({ artifacts: ["o"] });
  const { report } = start(attempt, () =>
    response({
      info: { trace: { events: [{ event: "ProviderWorkerDone", unixnano: "9" }] } },
      ok: { status: -1, stdout: b64("out"), stderr: b64("err"), artifacts: { blob: b64("zip") } },
    }));
  const { outcome, trace } = await report;
  assert.deepEqual([outcome, trace], [exited(0xffffffff), [{ event: 36, unixNano: 9n }]]);
  const { stdout, stderr, artifacts } = attempt.io;
  assert.deepEqual([stdout.text, stderr.text, artifacts!.text], ["out", "err", "zip"]);
  assert.deepEqual([stdout.state, stderr.state, artifacts!.state], ["ended", "ended", "ended"]);
  assert.equal(attempt.answers.count, 1);
});

const ENDS: readonly [error: string, outcome: ReturnType<typeof failed>][] = [
  ["RuntimeError: unreachable", failed("trap", "guest", "RuntimeError: unreachable")],
  ["", failed("trap", "guest", "provider gave no reason")],
  ["memory: all is taken", failed("memory", "guest", "all is taken")],
  ["trap: unreachable", failed("trap", "guest", "unreachable")],
  ["timeout: too long", failed("timeout", "provider", "too long")],
  ["limit: too much output", failed("limit", "provider", "too much output")],
  ["zip is not there", failed("trap", "guest", "zip is not there")],
  ["CompileError: bad magic", failed("rejected", "provider", "CompileError: bad magic", 126)],
  ["WebAssembly.LinkError: no x", failed("rejected", "provider", "WebAssembly.LinkError: no x", 126)],
];
for (const [error, expected] of ENDS) {
  Deno.test(`the task error "${error}" is the task's end, without output`, async () => {
    const attempt = attemptOf({});
    assert.deepEqual((await start(attempt, () => response({ error })).report).outcome, expected);
    assert.deepEqual([attempt.io.stdout.text, attempt.io.stdout.state], ["", "ended"]);
  });
}

const LOSSES: readonly [fields: JsonObject, code: string][] = [
  [{ error: "zip not found in storage" }, "not_found"],
  [{ error: "Error: no workers in pool" }, "resource_exhausted"],
  [{ error: "qos: no idle workers for immediate mode" }, "resource_exhausted"],
  [{ error: "undefined" }, "unavailable"],
  [{ error: "lost: gave up" }, "unavailable"],
  [{ error: "cancelled: by hand" }, "unavailable"],
  [{}, "internal"],
  [{ ok: { status: 0 } }, "internal"],
];
for (const [fields, code] of LOSSES) {
  Deno.test(`the answer ${JSON.stringify(fields)} is a loss: ${code}`, async () => {
    await assert.rejects(start(attemptOf({ artifacts: ["o"] }), () => response(fields)).report, { code });
  });
}

Deno.test("output beyond the task's limit is cut, stdout first, and that is the end", async () => {
  const attempt = attemptOf({ outputBytes: 6 });
  const { report } = start(attempt, () => response({ ok: { stdout: b64("12345"), stderr: b64("678") } }));
  const message = "guest wrote more output than its limit: 6 bytes";
  assert.deepEqual((await report).outcome, failed("limit", "broker", message));
  assert.deepEqual([attempt.io.stdout.text, attempt.io.stderr.text], ["12345", "6"]);
});

Deno.test("stdin is collected to its end, and refused beyond 16 MiB before anything is sent", async () => {
  const chunks = [new Uint8Array(3).fill(98), new Uint8Array(2).fill(99)];
  const attempt = attemptOf({});
  const io = {
    ...attempt.io,
    stdinBytes: new Uint8Array(1).fill(97),
    stdin: { read: () => Promise.resolve(chunks.shift() ?? null), cancel: () => {} },
  };
  const { report, asked } = start({ ...attempt, io }, () => response({ ok: {} }));
  await report;
  const { params } = asked[0] as unknown as { params: { stdin: Uint8Array } };
  assert.equal(new TextDecoder().decode(params.stdin), "abbbcc");
  const endless = { read: () => Promise.resolve(new Uint8Array(1024 * 1024)), cancel: () => {} };
  const long = start({ ...attempt, io: { ...io, stdin: endless } }, never);
  await assert.rejects(long.report, {
    code: "out_of_range",
    message: `stdin is longer than ${MAX_COLLECTED_STDIN_BYTES / 2 ** 20} MiB, which needs wasimoff_v2`,
  });
  assert.deepEqual(long.asked, []);
});

Deno.test("a cancel ends the collecting of stdin without a word to the provider", async () => {
  const stop = new AbortController();
  const attempt = attemptOf({}, stop.signal);
  const io = { ...attempt.io, stdin: { read: never, cancel: () => {} } };
  const { report, asked } = start({ ...attempt, io }, never);
  stop.abort(new WasimoffError("canceled", "enough"));
  await assert.rejects(report, { code: "canceled" });
  assert.deepEqual(asked, []);
});

Deno.test("a task over its time is cancelled by its id; without an echo its end is told, then the provider is stuck", () =>
  withClock(async (clock) => {
    const obedient = start(attemptOf({ timeoutMs: 2_000 }), never);
    await clock.tickAsync(1_999);
    assert.equal(obedient.asked.length, 1);
    await clock.tickAsync(1);
    const expected = failed("timeout", "broker", "task ran longer than its timeout: 2 s");
    assert.deepEqual((await obedient.report).outcome, expected);
    const [, cancel] = obedient.asked as unknown as { id: string; reason: string }[];
    assert.deepEqual([cancel!.id, cancel!.reason], ["a7", "context canceled"]);
    const deaf = start(attemptOf({ timeoutMs: 2_000 }), never, never);
    await clock.tickAsync(2_000 + CANCEL_TIMEOUT_MS - 1);
    let told = false;
    const end = deaf.report.then(({ outcome }) => {
      told = true;
      assert.deepEqual([outcome, deaf.stuck], [expected, []]);
    });
    assert.equal(told, false);
    await clock.tickAsync(1);
    await end;
    await clock.tickAsync(1);
    assert.deepEqual(deaf.stuck.map(({ code }) => code), ["deadline_exceeded"]);
    assert.deepEqual(obedient.stuck, []);
  }));

Deno.test("a task that nobody limits ends after a day", () =>
  withClock(async (clock) => {
    const { report } = start(attemptOf({}), never);
    await clock.tickAsync(MAX_TASK_V1_MS);
    assert.equal((await report).outcome.reason, "timeout");
    assert.equal(clock.countTimers(), 0);
  }));

Deno.test("an attempt whose connection ends is lost with the cause, and asks for no cancel", async () => {
  const { report, messenger, asked } = start(attemptOf({}), never);
  await new Promise((resolve) => setTimeout(resolve));
  messenger.close("gone", new WasimoffError("unavailable", "connection broke"));
  await assert.rejects(report, { code: "unavailable", message: "connection broke" });
  assert.equal(asked.length, 1);
});

Deno.test("an answer of another kind is a loss", async () => {
  const { report } = start(attemptOf({}), () => create(Task_Wasip1_RequestSchema));
  await assert.rejects(report, {
    code: "internal",
    message: "provider answered with another kind of message",
  });
});
