/** Requests, responses and events of wasimoff_v1, between two messengers and with a peer of bare messages. */

import assert from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import { WasimoffError } from "../../../core/errors.ts";
import type { EncodingV1, PayloadV1 } from "../../../core/protocol/envelope_v1.ts";
import {
  Event_GenericMessageSchema,
  PingSchema,
  Task_CancelSchema,
} from "../../../core/protocol/gen/wasimoff/v1/messages_pb.ts";
import {
  MAX_SERVED_REQUESTS_V1,
  MessengerV1,
  type MessengerV1Handler,
} from "../../../core/protocol/messenger_v1.ts";
import { MemoryMessages } from "../../support/message_pipes.ts";

const cancelOf = (id: string) => create(Task_CancelSchema, { id });
const ping = '"payload":{"@type":"wasimoff/wasimoff.v1.Ping"}';

function recording(request: MessengerV1Handler["request"] = (payload) => Promise.resolve(payload)) {
  const events: PayloadV1[] = [];
  const suspects: boolean[] = [];
  return {
    events,
    suspects,
    handler: {
      request,
      event: (event: PayloadV1) => void events.push(event),
      suspected: (suspect: boolean) => void suspects.push(suspect),
    },
  };
}

/** A messenger, and the other end of its pipe, which keeps what comes. */
function withPeer(encoding: EncodingV1 = "json", request?: MessengerV1Handler["request"]) {
  const [pipe, peer] = MemoryMessages.pair();
  const { handler, ...recorded } = recording(request);
  const messenger = new MessengerV1(pipe, encoding, handler);
  const received: string[] = [];
  peer.start({ onMessage: (message) => void received.push(String(message)), onClose: () => {} });
  const turn = () => new Promise<void>((resolve) => setTimeout(resolve));
  return { messenger, pipe, peer, received, turn, ...recorded };
}

for (const encoding of ["binary", "json"] as const) {
  Deno.test(`requests are answered in any order, events arrive, a close tells both sides (${encoding})`, async () => {
    const [a, b] = MemoryMessages.pair();
    const slow = Promise.withResolvers<void>();
    const { handler, events } = recording(async (payload) => {
      if ((payload as { id?: string }).id === "slow") await slow.promise;
      return payload;
    });
    const asking = new MessengerV1(a, encoding, recording().handler);
    const answering = new MessengerV1(b, encoding, handler);
    const first = asking.request(cancelOf("slow"));
    assert.deepEqual(await asking.request(cancelOf("quick")), cancelOf("quick"));
    slow.resolve();
    assert.deepEqual(await first, cancelOf("slow"));
    asking.emit(create(Event_GenericMessageSchema, { message: "hi" }));
    await asking.request(create(PingSchema));
    assert.deepEqual(events, [create(Event_GenericMessageSchema, { message: "hi" })]);
    asking.close("done");
    assert.deepEqual(a.closed, { code: 1000, reason: "done" });
    await assert.rejects(asking.request(create(PingSchema)), { code: "canceled" });
    assert.equal(answering.signal.aborted || b.closed !== null, true);
  });
}

Deno.test("requests and events are counted apart, from 1, and written always", async () => {
  const { messenger, received, turn } = withPeer();
  const asked = [messenger.request(create(PingSchema)), messenger.request(create(PingSchema))];
  messenger.emit(create(PingSchema));
  await turn();
  assert.deepEqual(received, [
    `{"sequence":"1","type":"Request",${ping}}`,
    `{"sequence":"2","type":"Request",${ping}}`,
    `{"sequence":"1","type":"Event",${ping}}`,
  ]);
  messenger.close("over");
  await Promise.all(asked.map((request) => assert.rejects(request, { code: "canceled", message: "over" })));
});

const ERRORS: readonly [what: string, rest: string, code: string, message: string][] = [
  ["with an error", '"error":"no"', "unknown", "no"],
  ["with an empty error beside a payload", `"error":"",${ping}`, "unknown", "peer gave an empty error"],
  ["with nothing", '"new":1', "internal", "peer answered nothing known"],
  ["of an unknown type", '"payload":{"@type":"a.B"}', "internal", "peer answered nothing known"],
];
for (const [what, rest, code, message] of ERRORS) {
  Deno.test(`a response ${what} rejects its request, and no other`, async () => {
    const { messenger, peer } = withPeer();
    const [first, second] = [messenger.request(create(PingSchema)), messenger.request(create(PingSchema))];
    peer.send(`{"sequence":"1","type":"Response",${rest}}`);
    await assert.rejects(first, { code, message });
    peer.send(`{"sequence":"2","type":"Response",${ping}}`);
    peer.send(`{"sequence":"2","type":"Response","error":"a second answer"}`);
    peer.send(`{"sequence":"99","type":"Response","error":"to nothing"}`);
    assert.deepEqual(await second, create(PingSchema));
    assert.equal(messenger.signal.aborted, false);
  });
}

const REQUESTS: readonly [what: string, request: string, response: string][] = [
  [
    "a sequence of 0",
    `{"sequence":"0","type":"Request",${ping}}`,
    `{"sequence":"0","type":"Response",${ping}}`,
  ],
  ["no sequence", `{"type":"Request",${ping}}`, `{"sequence":"0","type":"Response",${ping}}`],
  [
    "no payload",
    '{"sequence":"5","type":"Request"}',
    '{"sequence":"5","type":"Response","error":"cannot unpack empty payload"}',
  ],
  [
    "a type that nobody knows",
    '{"sequence":"5","type":"Request","payload":{"@type":"wasimoff/wasimoff.v2.New","x":1}}',
    '{"sequence":"5","type":"Response","error":"unknown payload type"}',
  ],
];
for (const [what, request, response] of REQUESTS) {
  Deno.test(`a request with ${what} is answered`, async () => {
    const { messenger, peer, received, turn } = withPeer();
    peer.send(request);
    await turn();
    assert.deepEqual(received, [response]);
    assert.equal(messenger.signal.aborted, false);
  });
}

Deno.test("events of unknown types and without payload are ignored", async () => {
  const { messenger, peer, events, turn } = withPeer();
  peer.send('{"type":"Event"}');
  peer.send('{"type":"Event","payload":{"@type":"wasimoff/wasimoff.v9.New"}}');
  peer.send(`{"type":"Event",${ping}}`);
  await turn();
  assert.deepEqual([events, messenger.signal.aborted], [[create(PingSchema)], false]);
});

Deno.test("frames that are no envelope close with 1011, those of the wrong opcode with 1003", async () => {
  for (
    const [encoding, message, code] of [
      ["json", "{", 1011],
      ["json", '{"type":"UNKNOWN"}', 1011],
      ["json", new Uint8Array(3), 1003],
      ["binary", "{}", 1003],
    ] as const
  ) {
    const { messenger, pipe, peer, turn } = withPeer(encoding);
    const asked = messenger.request(create(PingSchema));
    peer.send(message);
    await assert.rejects(asked, { code: "invalid_argument" });
    await turn();
    assert.equal(pipe.closed?.code, code);
  }
});

Deno.test("what a handler throws becomes the error of the envelope; suspicion is passed on", async () => {
  const { peer, pipe, received, suspects, turn } = withPeer(
    "json",
    () => Promise.reject(new WasimoffError("not_found", "nothing there", { cause: new Error("secret") })),
  );
  peer.send(`{"sequence":"1","type":"Request",${ping}}`);
  await turn();
  assert.deepEqual(received, ['{"sequence":"1","type":"Response","error":"nothing there"}']);
  pipe.suspect(true);
  pipe.suspect(false);
  assert.deepEqual(suspects, [true, false]);
});

Deno.test("an aborted request is over at once, and its answer is dropped", async () => {
  const { messenger, peer, turn } = withPeer();
  const stop = new AbortController();
  const asked = messenger.request(create(PingSchema), stop.signal);
  stop.abort(new WasimoffError("deadline_exceeded", "too late"));
  await assert.rejects(asked, { code: "deadline_exceeded", message: "too late" });
  peer.send(`{"sequence":"1","type":"Response",${ping}}`);
  await turn();
  assert.equal(messenger.signal.aborted, false);
  await assert.rejects(messenger.request(create(PingSchema), stop.signal), { code: "deadline_exceeded" });
});

Deno.test("requests wait for room, one after the other; those given up meanwhile are not sent", async () => {
  const { messenger, pipe, received, turn } = withPeer();
  pipe.full = true;
  const stop = new AbortController();
  const asked = [
    messenger.request(cancelOf("first")),
    messenger.request(cancelOf("gone"), stop.signal),
    messenger.request(cancelOf("third")),
  ];
  messenger.emit(create(PingSchema));
  await turn();
  assert.deepEqual(received, [`{"sequence":"1","type":"Event",${ping}}`], "events are small and do not wait");
  const gone = assert.rejects(asked[1]!, { message: "gone" });
  stop.abort(new WasimoffError("canceled", "gone"));
  await gone;
  pipe.drain();
  await turn();
  assert.deepEqual(received.slice(1).map((text) => JSON.parse(text).payload.id), ["first", "third"]);
  messenger.close("over");
  await Promise.all(asked.map((request) => assert.rejects(request, { code: "canceled" })));
});

Deno.test("a peer that has too many requests under way is told so", async () => {
  const { peer, received, turn } = withPeer("json", () => new Promise(() => {}));
  for (let i = 0; i <= MAX_SERVED_REQUESTS_V1; i++) {
    peer.send(`{"sequence":"${i}","type":"Request",${ping}}`);
  }
  await turn();
  const last = `{"sequence":"${MAX_SERVED_REQUESTS_V1}","type":"Response","error":"429: Queue Full"}`;
  assert.deepEqual(received, [last]);
});
