import { deepEqual, equal, ok } from "node:assert/strict";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { codeFromNumber, WasimoffError } from "../../../core/errors.ts";
import { MessageSchema, type Response } from "../../../core/protocol/gen/wasimoff/v2/wasimoff_pb.ts";
import { MAX_PENDING_REQUESTS } from "../../../core/protocol/limits.ts";
import { type EventKind, Messenger, type ResultInit } from "../../../core/protocol/messenger.ts";
import { Session } from "../../../core/session/session.ts";
import { type MemoryLane, memoryLanes } from "../../support/message_lanes.ts";
import { fakeClock, SessionPair, settleGoodbye } from "../../support/session_pair.ts";
import { settle } from "../../support/settle.ts";

type Body = NonNullable<MessageInitShape<typeof MessageSchema>["body"]>;
const DONE = new WasimoffError("canceled", "done");
const bytesOf = (body: Body) => toBinary(MessageSchema, create(MessageSchema, { body }));
const runTask = { case: "runTask", value: {} } as const;

/** A messenger, and its peer's lane to say anything on. Its handler answers never, or at once. */
function target(answer: () => Promise<ResultInit> = () => new Promise(() => {})) {
  const [peer, lane] = memoryLanes();
  const events: EventKind[] = [];
  let served = 0;
  const messenger = new Messenger(lane, {
    request: () => {
      served++;
      return answer();
    },
    event: (event) => events.push(event),
  });
  return { messenger, peer, lane, events, served: () => served };
}

/** The responses that came, as `id code` or `id result`. */
function responses(lane: MemoryLane): string[] {
  return lane.sent.map((bytes) => fromBinary(MessageSchema, bytes).body)
    .filter((body) => body.case === "response")
    .map(({ value }: { value: Response }) =>
      `${value.id} ${value.error === undefined ? value.result.case : codeFromNumber(value.error.code)}`
    );
}

Deno.test("a request with an unknown method is answered unimplemented", async () => {
  const { peer, lane, served } = target();
  peer.send(Uint8Array.fromHex("0a06080682fa0100")); // Message{request: Request{id: 6, 4000: {}}}
  peer.send(bytesOf({ case: "request", value: { id: 7 } }));
  await settle();
  deepEqual([responses(lane), served()], [["6 unimplemented", "7 unimplemented"], 0]);
});

Deno.test("unknown kinds of message, unknown events and unknown fields are ignored", async () => {
  const { peer, lane, events } = target();
  peer.send(new Uint8Array(0));
  peer.send(Uint8Array.fromHex("82fa0100")); // Message{4000: {}}
  peer.send(Uint8Array.fromHex("220482fa0100")); // Message{event: Event{4000: {}}}
  peer.send(Uint8Array.fromHex("2208" + "5202" + "0803" + "82fa0100")); // with an unknown field beside a status
  await settle();
  deepEqual(events.map((event) => event.case === "providerStatus" && event.value.slots), [3]);
  deepEqual([lane.signal.aborted, lane.sent.length], [false, 0]);
});

Deno.test("a response without a result that is known here rejects as unimplemented", async () => {
  const { messenger, peer } = target();
  const request = messenger.request(runTask).catch((error) => error);
  peer.send(Uint8Array.fromHex("1206080182fa0100"));
  equal((await request).code, "unimplemented");
});

Deno.test("responses that nobody waits for are ignored: the second to a request, and any of an unknown id", async () => {
  const { messenger, peer, lane } = target();
  const request = messenger.request(runTask);
  const answer = (provider: string, id = 1) =>
    peer.send(bytesOf({
      case: "response",
      value: { id, result: { case: "announced", value: { provider } } },
    }));
  answer("stranger", 99);
  answer("first");
  answer("second");
  const result = await request;
  await settle();
  equal(result.case === "announced" && result.value.provider, "first");
  equal(lane.signal.aborted, false);
});

Deno.test("the longest timeout of the wire does not fire at once", async () => {
  using clock = fakeClock();
  const [peer, lane] = memoryLanes();
  const signals: AbortSignal[] = [];
  new Messenger(lane, {
    request: (_, { signal }) => new Promise(() => signals.push(signal)),
    event: () => {},
  });
  peer.send(bytesOf({ case: "request", value: { id: 3, timeoutMs: 0xffff_ffff, method: runTask } }));
  await clock.tick(100_000);
  deepEqual(signals.map(({ aborted }) => aborted), [false]);
});

Deno.test("a cancel of an unknown request is ignored", async () => {
  const { peer, lane } = target();
  peer.send(bytesOf({ case: "cancel", value: { id: 4 } }));
  await settle();
  deepEqual([lane.signal.aborted, lane.sent.length], [false, 0]);
});

Deno.test("a request with the id of one that is still served is answered already_exists and not served", async () => {
  const { peer, lane, served } = target();
  peer.send(bytesOf({ case: "request", value: { id: 3, method: runTask } }));
  peer.send(bytesOf({ case: "request", value: { id: 3, method: runTask } }));
  peer.send(bytesOf({ case: "cancel", value: { id: 3 } }));
  await settle();
  deepEqual([responses(lane), served()], [["3 already_exists"], 1]);
});

Deno.test("requests above the limit are answered resource_exhausted, and served again when others have ended", async () => {
  const finish: (() => void)[] = [];
  const { peer, lane, served } = target(() =>
    new Promise((resolve) => finish.push(() => resolve({ case: "announced", value: {} })))
  );
  for (let id = 1; id <= MAX_PENDING_REQUESTS + 1; id++) {
    peer.send(bytesOf({ case: "request", value: { id, method: runTask } }));
  }
  await settle();
  deepEqual([responses(lane), served()], [
    [`${MAX_PENDING_REQUESTS + 1} resource_exhausted`],
    MAX_PENDING_REQUESTS,
  ]);
  finish[0]!();
  await settle();
  peer.send(bytesOf({ case: "request", value: { id: 99_999, method: runTask } }));
  await settle();
  equal(served(), MAX_PENDING_REQUESTS + 1);
});

const UNDECODABLE: Record<string, Uint8Array> = {
  "a truncated message": Uint8Array.of(0x0a, 5, 8),
  "a length of 1 GiB": Uint8Array.of(0x0a, 0x80, 0x80, 0x80, 0x80, 0x04),
  "an endless number": new Uint8Array(30).fill(0xff),
  "65,000 nested groups": new Uint8Array(65_000).fill(0x7b),
  "a field of number 0": Uint8Array.of(0x00, 0x00),
};

for (const [what, bytes] of Object.entries(UNDECODABLE)) {
  Deno.test(`${what} ends that session only`, async () => {
    using hit = new SessionPair();
    using other = new SessionPair();
    const handler = { request: () => Promise.reject(DONE), event: () => {} };
    for (const { acceptor } of [hit, other]) new Messenger(acceptor, handler);
    hit.dialer.send(bytes);
    await settleGoodbye();
    for (const session of [hit.acceptor, hit.dialer]) {
      ok(session instanceof Session);
      deepEqual(
        [session.signal.reason?.code, session.signal.reason?.message],
        ["invalid_argument", "received a message that cannot be decoded"],
      );
    }
    deepEqual([other.acceptor.signal.aborted, other.dialer.signal.aborted], [false, false]);
  });
}

Deno.test("a messenger answers arbitrary bytes by serving, ignoring, or the end of its lane with a WasimoffError", async () => {
  const valid = bytesOf({
    case: "request",
    value: { id: 1, method: { case: "runTask", value: { args: ["a"] } } },
  });
  const flipped = fc.tuple(fc.nat(valid.length - 1), fc.nat(255)).map(([at, byte]) => valid.with(at, byte));
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.uint8Array({ maxLength: 50 }), flipped), async (bytes) => {
      const { peer, lane } = target(() => Promise.reject(DONE));
      peer.send(bytes);
      await settle();
      if (!lane.signal.aborted) return;
      ok(lane.signal.reason instanceof WasimoffError);
      equal(lane.signal.reason.code, "invalid_argument");
    }),
    { numRuns: 200 },
  );
});
