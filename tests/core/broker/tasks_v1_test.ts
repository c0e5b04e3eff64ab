import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { CallV1 } from "../../../core/broker/tasks_v1.ts";
import { WasimoffError } from "../../../core/errors.ts";
import { exited } from "../../../core/outcome.ts";
import {
  Task_TraceEvent_EventType as Event,
  Task_Wasip1_RequestSchema,
} from "../../../core/protocol/gen/wasimoff/v1/messages_pb.ts";
import { echo, type RunAttempt, tasksApp } from "../../support/tasks_app.ts";

const call = (signal = new AbortController().signal): CallV1 => ({
  identity: "local",
  requester: "peer",
  signal,
});
const PARAMS = { binary: { ref: "module" }, args: ["m"] };
type Fields = Pick<MessageInitShape<typeof Task_Wasip1_RequestSchema>, "info" | "params">;
const request = ({ info, params = PARAMS }: Fields = {}) =>
  create(Task_Wasip1_RequestSchema, { params, ...(info && { info }) });

/** The first attempt is lost after it has read some of its stdin. */
function losingFirst(): { run: RunAttempt; firsts: number[] } {
  const firsts: number[] = [];
  const run: RunAttempt = async (attempt) => {
    firsts.push(attempt.io.stdinBytes.length);
    if (firsts.length > 1) return await echo(attempt);
    await attempt.io.stdin?.read();
    throw new WasimoffError("unavailable", "provider was lost");
  };
  return { run, firsts };
}

Deno.test("a stdin of any size is there for every attempt, and only its start travels in a message", async () => {
  const { run, firsts } = losingFirst();
  using tasks = await tasksApp(run, { providers: 2 });
  const stdin = Uint8Array.from({ length: 300_000 }, (_, index) => index % 251);
  const { result } = await tasks.tasks.runWasip1(request({ params: { ...PARAMS, stdin } }), call());
  ok(result.case === "ok");
  deepStrictEqual(result.value.stdout, stdin);
  strictEqual(firsts.length, 2);
  ok(firsts.every((bytes) => bytes > 50_000 && bytes < 60_000), String(firsts));
});

Deno.test("a trace has every attempt, and what the last provider says", async () => {
  const { run } = losingFirst();
  const moments = [{ event: Event.ProviderTaskReceived, unixNano: 5n }, {
    event: Event.BrokerError,
    unixNano: 6n,
  }];
  using tasks = await tasksApp(async (attempt) => ({ ...await run(attempt), trace: moments }), {
    providers: 2,
  });
  const { info } = await tasks.tasks.runWasip1(request({ info: { trace: { created: 1n } } }), call());
  deepStrictEqual(info?.trace?.events.map(({ event }) => event), [21, 22, 23, 24, 23, 24, 31, 25, 26]);
  strictEqual(info?.trace?.created, 1n);
});

Deno.test("a provider hears who asked and for what, and what it says after its time is dropped", async () => {
  const origins: unknown[] = [];
  using tasks = await tasksApp((attempt) => {
    const { requester, reference, trace } = attempt.origin;
    origins.push({ requester, reference, trace });
    return echo(attempt);
  });
  await tasks.tasks.runWasip1(request({ info: { reference: "mine", requester: "forged" } }), call());
  deepStrictEqual(origins, [{ requester: "peer", reference: "mine", trace: null }]);
});

Deno.test("a call that is aborted cancels its task, by the code of its reason", async () => {
  const codes: string[] = [];
  using tasks = await tasksApp((attempt) =>
    new Promise((_, reject) => {
      attempt.signal.addEventListener("abort", () => {
        codes.push(WasimoffError.from(attempt.signal.reason).code);
        reject(new WasimoffError("canceled", "stopped"));
      });
    })
  );
  for (const code of ["deadline_exceeded", "canceled"] as const) {
    const stop = new AbortController();
    const done = tasks.tasks.runWasip1(request(), call(stop.signal));
    await Promise.resolve();
    stop.abort(new WasimoffError(code, "over"));
    await rejects(done, { code });
  }
  strictEqual(tasks.broker.stats.running, 0);
});

/** Writes so much, whatever anybody says. */
const writing = (chunkBytes: number, chunks: number): RunAttempt => async ({ io }) => {
  const chunk = new Uint8Array(chunkBytes);
  for (let i = 0; i < chunks; i++) await io.stdout.write(chunk);
  for (const sink of [io.stdout, io.stderr, io.artifacts]) sink?.end();
  return { outcome: exited(0), durationMs: 1 };
};

Deno.test("output for which there is no room is never a result with something missing", async () => {
  let attempts = 0;
  using tasks = await tasksApp((attempt) => {
    attempts++;
    return writing(600, 2)(attempt);
  }, { maxHeldBytes: 1_000 });
  await rejects(tasks.tasks.runWasip1(request(), call()), { code: "resource_exhausted" });
  strictEqual(attempts, 1);
  strictEqual(tasks.tasks.budget.taken, 0);
});

Deno.test("a provider that lets a guest write too much gets the task ended by its limit", async () => {
  using tasks = await tasksApp(writing(16 * 1024 * 1024, 5));
  const { result } = await tasks.tasks.runWasip1(request(), call());
  deepStrictEqual(result, { case: "error", value: "limit: output is larger than 67108864 bytes" });
  strictEqual(tasks.tasks.budget.taken, 0);
});

Deno.test("a draining broker takes no tasks", async () => {
  using tasks = await tasksApp();
  await tasks.broker.drain(AbortSignal.timeout(1_000));
  await rejects(tasks.tasks.runWasip1(request(), call()), { code: "unavailable" });
});
