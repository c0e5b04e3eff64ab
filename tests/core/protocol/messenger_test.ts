import { deepEqual, equal, rejects, throws } from "node:assert/strict";
import { WasimoffError } from "../../../core/errors.ts";
import { CANCEL_GRACE_MS } from "../../../core/protocol/limits.ts";
import {
  type EventKind,
  Messenger,
  type MessengerHandler,
  type Method,
  type MethodInit,
  type RequestContext,
  type ResultInit,
} from "../../../core/protocol/messenger.ts";
import { memoryLanes } from "../../support/message_lanes.ts";
import { fakeClock } from "../../support/session_pair.ts";
import { settle } from "../../support/settle.ts";

const DONE = new WasimoffError("canceled", "done");
const run = (module = "m"): MethodInit => ({ case: "runTask", value: { module } });
const announced = (provider: string): ResultInit => ({ case: "announced", value: { provider } });

/** Two messengers; the second one answers as told, and what it hears is kept. */
function pair(serve: (method: Method, context: RequestContext) => Promise<ResultInit> | ResultInit) {
  const [laneA, laneB] = memoryLanes();
  const events: EventKind[] = [];
  const contexts: RequestContext[] = [];
  const a = new Messenger(laneA, {
    request: (method) => Promise.resolve(announced(`a serves ${method.case}`)),
    event: (event) => events.push(event),
  });
  const handler: MessengerHandler = {
    request: (method, context) => {
      contexts.push(context);
      return serve(method, context) as Promise<ResultInit>;
    },
    event: (event) => events.push(event),
  };
  const b = new Messenger(laneB, handler);
  return { a, b, laneA, laneB, events, contexts };
}

/** Settles when the request's signal is aborted, with its reason. */
const untilAborted = (_: Method, { signal }: RequestContext) =>
  new Promise<ResultInit>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));

Deno.test("requests are answered in both directions, out of order too", async () => {
  const first = Promise.withResolvers<ResultInit>();
  const { a, b } = pair((method) =>
    method.case === "runTask" && method.value.module === "slow" ? first.promise : announced("fast")
  );
  const slow = a.request(run("slow"));
  const fast = await a.request(run());
  equal(fast.case === "announced" && fast.value.provider, "fast");
  equal(a.pending, 1);
  first.resolve(announced("slow"));
  const late = await slow;
  equal(late.case === "announced" && late.value.provider, "slow");
  const back = await b.request(run());
  equal(back.case === "announced" && back.value.provider, "a serves runTask");
  deepEqual([a.pending, b.pending], [0, 0]);
});

Deno.test("events arrive", async () => {
  const { a, events } = pair(() => announced(""));
  a.emit({ case: "providerStatus", value: { slots: 3, draining: true } });
  await settle();
  deepEqual(events.map((event) => event.case === "providerStatus" && event.value.slots), [3]);
  const large = { case: "taskProgress", value: { detail: "x".repeat(70_000) } } as const;
  throws(() => a.emit(large), { code: "out_of_range" });
});

Deno.test("whatever a handler throws becomes an error with a code, and the messenger goes on", async () => {
  const thrown: [unknown, string, string][] = [
    [
      new WasimoffError("failed_precondition", "not now", { cause: "secret" }),
      "failed_precondition",
      "not now",
    ],
    [new TypeError("oops"), "internal", "oops"],
    ["text", "internal", "text"],
    [undefined, "internal", "undefined"],
    [Object.create(null), "internal", "something that has no text was thrown"],
    [new WasimoffError("internal", "x".repeat(70_000)), "internal", "x".repeat(1_024)],
  ];
  for (const sync of [true, false]) {
    for (const [error, code, message] of thrown) {
      const { a } = pair(() => {
        if (sync) throw error;
        return Promise.reject(error);
      });
      const failure = await a.request(run()).catch((failure) => failure);
      deepEqual([failure.code, failure.message, failure.cause], [code, message, undefined]);
    }
  }
});

Deno.test("a result that does not fit into a message becomes out_of_range", async () => {
  const { a } = pair(() => announced("x".repeat(70_000)));
  await rejects(a.request(run()), { code: "out_of_range" });
});

Deno.test("a request that does not fit into a message is refused at once and leaves nothing behind", async () => {
  const { a, laneA } = pair(() => announced(""));
  await rejects(a.request(run("x".repeat(70_000))), { code: "out_of_range" });
  deepEqual([a.pending, laneA.sent.length], [0, 0]);
});

Deno.test("sent() is called within the sending, with the id that the handler sees", async () => {
  const { a, contexts } = pair(() => announced(""));
  const ids: number[] = [];
  await a.request(run(), { sent: (id) => ids.push(id) });
  await a.request(run(), { sent: (id) => ids.push(id) });
  deepEqual(ids, [1, 2]);
  deepEqual(contexts.map(({ id }) => id), ids);
});

Deno.test("an aborted request is canceled at the peer and settles with the peer's answer", async () => {
  const { a, contexts } = pair(untilAborted);
  const controller = new AbortController();
  const request = a.request(run(), { signal: controller.signal });
  await settle();
  controller.abort(new WasimoffError("aborted", "changed my mind"));
  await rejects(request, { code: "aborted", message: "changed my mind" });
  equal(contexts[0]!.signal.reason.message, "changed my mind");
});

Deno.test("an aborted request may still succeed", async () => {
  const answer = Promise.withResolvers<ResultInit>();
  const { a } = pair(() => answer.promise);
  const controller = new AbortController();
  const request = a.request(run(), { signal: controller.signal });
  controller.abort(DONE);
  await settle();
  answer.resolve(announced("done already"));
  const result = await request;
  equal(result.case === "announced" && result.value.provider, "done already");
});

Deno.test("a request that is aborted within sent(), or with a very long reason, is canceled as well", async () => {
  const { a, contexts } = pair(untilAborted);
  const controller = new AbortController();
  const abort = () => controller.abort(new WasimoffError("aborted", "y".repeat(100_000)));
  await rejects(a.request(run(), { signal: controller.signal, sent: abort }), { message: "y".repeat(1_024) });
  equal(contexts[0]!.signal.aborted, true);
});

Deno.test("a canceled request that nobody answers settles after the grace, and its late answer is ignored", async () => {
  using clock = fakeClock();
  const answer = Promise.withResolvers<ResultInit>();
  const { a, laneA } = pair(() => answer.promise);
  const controller = new AbortController();
  const request = a.request(run(), { signal: controller.signal });
  const rejected = rejects(request, DONE);
  controller.abort(DONE);
  await clock.tick(CANCEL_GRACE_MS - 1);
  equal(a.pending, 1);
  await clock.tick(1);
  await rejected;
  equal(a.pending, 0);
  answer.resolve(announced("late"));
  await clock.tick(0);
  equal(laneA.signal.aborted, false);
});

Deno.test("a request ends at the peer by its timeout", async () => {
  using clock = fakeClock();
  const { a } = pair(untilAborted);
  const request = rejects(a.request(run(), { timeoutMs: 99.5 }), {
    code: "deadline_exceeded",
    message: "request exceeded its 100 ms",
  });
  await clock.tick(99);
  equal(a.pending, 1);
  await clock.tick(1);
  await request;
});

Deno.test("a timeout beyond what a timer can wait does not fire at once", async () => {
  using clock = fakeClock();
  const { a, laneA } = pair(untilAborted);
  const request = rejects(a.request(run(), { timeoutMs: 1e12 }), DONE);
  await clock.tick(1_000_000);
  equal(a.pending, 1);
  laneA.peer.end(DONE);
  laneA.end(DONE);
  await request;
});

Deno.test("the end of the lane rejects every request and aborts everything that is served, with the cause", async () => {
  const { a, b, laneA, laneB, contexts } = pair(untilAborted);
  const requests = [a.request(run()), a.request(run(), { signal: new AbortController().signal })]
    .map((request) => rejects(request, DONE));
  await settle();
  laneA.end(DONE);
  laneB.end(DONE);
  await Promise.all(requests);
  deepEqual(contexts.map(({ signal }) => signal.reason), [DONE, DONE]);
  await settle();
  deepEqual([laneB.sent, a.pending], [[], 0]);
  await rejects(a.request(run()), DONE);
  b.emit({ case: "providerStatus", value: {} });
  deepEqual(laneB.sent, []);
});

Deno.test("a lane that ends by the sending of a request rejects that request too", async () => {
  const { a, laneA } = pair(() => announced(""));
  const { send } = laneA;
  laneA.send = (message) => {
    send.call(laneA, message);
    laneA.end(DONE);
    throw DONE;
  };
  await rejects(a.request(run()), DONE);
  equal(a.pending, 0);
});

Deno.test("a request waits while the lane is congested, and not longer than its signal", async () => {
  const { a, laneA } = pair(() => announced(""));
  laneA.setCongested(true);
  const controller = new AbortController();
  const given = rejects(a.request(run(), { signal: controller.signal }), DONE);
  const patient = a.request(run());
  await settle();
  equal(laneA.sent.length, 0);
  controller.abort(DONE);
  await given;
  laneA.setCongested(false);
  equal((await patient).case, "announced");
  equal(laneA.sent.length, 1);
});

Deno.test("a request whose signal is aborted already sends nothing", async () => {
  const { a, laneA } = pair(() => announced(""));
  await rejects(a.request(run(), { signal: AbortSignal.abort(DONE) }), DONE);
  equal(laneA.sent.length, 0);
});
