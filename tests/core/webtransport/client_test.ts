/** What a client does with servers of all kinds. */

import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import {
  type ConnectOptions,
  connectWebTransport,
  WebTransportClient,
} from "../../../core/webtransport/client.ts";
import { encodeFrame, FRAME_TYPE } from "../../../core/webtransport/http3_frame.ts";
import type { HeaderField } from "../../../core/webtransport/qpack_static_table.ts";
import type { QuicBidirectionalStream } from "../../../core/webtransport/quic_connection.ts";
import { encodeSettings } from "../../../core/webtransport/settings.ts";
import { encodeVarints } from "../../../core/webtransport/varint.ts";
import { memoryErrorCode, MemoryQuic, type MemorySendStream } from "../../support/memory_quic.ts";
import {
  bytesOf,
  headersFrame,
  openControl,
  openUnidirectional,
  put,
  readAnswer,
  streamHeader,
} from "../../support/raw_http3.ts";
import { fakeClock } from "../../support/session_pair.ts";
import { settle } from "../../support/settle.ts";

const TARGET: ConnectOptions = { authority: "test", path: "/a?b=c" };

/** A client whose server is the test: it has sent its settings. */
async function begin(options: Partial<ConnectOptions> = {}) {
  const { client, server } = MemoryQuic.pair();
  const control = await openControl(server);
  const requests = server.incomingBidirectionalStreams.getReader();
  const session = connectWebTransport(client, { ...TARGET, streamErrorCode: memoryErrorCode, ...options });
  session.catch(() => {});
  const { value } = await requests.read();
  const stream = value as QuicBidirectionalStream & { writable: MemorySendStream };
  return {
    ...{ client, server, control, session, stream, requests },
    async [Symbol.asyncDispose]() {
      server.close({ closeCode: 0x100, reason: "" });
      await settle();
    },
  };
}

Deno.test("a client opens its control stream first, with its settings, and asks with these fields", async () => {
  await using side = await begin({ headers: { Authorization: "Bearer x" }, protocols: ["a", "b"] });
  const first = await side.server.incomingUnidirectionalStreams.getReader().read();
  strictEqual((await first.value!.getReader().read()).value![0], 0);
  deepStrictEqual(Object.fromEntries(await readAnswer(side.stream)), {
    ":method": "CONNECT",
    ":protocol": "webtransport",
    ":scheme": "https",
    ":authority": "test",
    ":path": "/a?b=c",
    "sec-webtransport-http3-draft02": "1",
    "wt-available-protocols": '"a", "b"',
    authorization: "Bearer x",
  });
});

Deno.test("a session opens with 200, after interim answers, and with the protocol that was chosen", async () => {
  await using side = await begin({ protocols: ["a", "b"] });
  await put(side.stream.writable, encodeFrame(0x21n, bytesOf(1)), headersFrame([[":status", "103"]]));
  await put(side.stream.writable, headersFrame([[":status", "200"], ["wt-protocol", '"b"']]));
  const session = await side.session;
  strictEqual(session.protocol, "b");
  strictEqual(session.request.query, "?b=c");
  strictEqual(session.remoteAddress.hostname, "192.0.2.1");
});

const ANSWERS: readonly [what: string, code: string, text: RegExp, fields: readonly HeaderField[]][] = [
  ["403", "permission_denied", /HTTP status 403$/, [[":status", "403"]]],
  ["401", "unauthenticated", /HTTP status 401$/, [[":status", "401"]]],
  ["404", "unimplemented", /HTTP status 404$/, [[":status", "404"]]],
  ["429", "resource_exhausted", /HTTP status 429$/, [[":status", "429"]]],
  ["503", "unavailable", /HTTP status 503$/, [[":status", "503"]]],
  ["a redirection", "unavailable", /HTTP status 302$/, [[":status", "302"], ["location", "/"]]],
  ["no status", "invalid_argument", /does not begin with a status$/, [["a", "b"]]],
  ["a protocol that was not offered", "invalid_argument", /"x" was not offered$/, [
    [":status", "200"],
    ["wt-protocol", '"x"'],
  ]],
];

for (const [what, code, message, fields] of ANSWERS) {
  Deno.test(`connect rejects with ${code} for ${what}, and ends a connection without sessions`, async () => {
    await using side = await begin();
    await put(side.stream.writable, headersFrame(fields));
    await rejects(side.session, { code, message });
    deepStrictEqual(side.client.closedWith, { closeCode: 0x100, reason: "" });
  });
}

Deno.test("connect rejects when the stream ends, is reset, or breaks the rules before the answer", async () => {
  for (
    const [act, code] of [
      [(stream: MemorySendStream) => stream.close(), "unavailable"],
      [(stream: MemorySendStream) => stream.reset(0x10b), "unavailable"],
      [
        (stream: MemorySendStream) => put(stream, encodeFrame(FRAME_TYPE.DATA, bytesOf(1))),
        "invalid_argument",
      ],
    ] as const
  ) {
    await using side = await begin();
    await act(side.stream.writable);
    await rejects(side.session, { code });
  }
});

Deno.test("connect rejects when the connection is lost, and when the server closes it", async () => {
  await using lost = await begin();
  lost.client.lose();
  await rejects(lost.session, { code: "unavailable", message: /connection lost: timed out/ });
  await using closed = await begin();
  closed.server.close({ closeCode: 0x107, reason: "too much" });
  await rejects(closed.session, { code: "unavailable", message: /code 0x107: too much$/ });
});

Deno.test("connect rejects with the reason of its signal, and leaves nothing open", async () => {
  const abort = new AbortController();
  await using side = await begin({ signal: abort.signal });
  abort.abort();
  await rejects(side.session, { code: "canceled" });
  await rejects(put(side.stream.writable, 1));
});

Deno.test("connect rejects when no answer comes within 30 s, and leaves nothing open", async () => {
  using clock = fakeClock();
  await using side = await begin();
  let isOver = false;
  side.session.catch(() => isOver = true);
  await clock.tick(29_999);
  strictEqual(isOver, false);
  await clock.tick(1);
  await rejects(side.session, { code: "deadline_exceeded", message: "the server gave no answer in time" });
  strictEqual(side.client.closedWith?.closeCode, 0x100);
});

Deno.test("connect rejects for a server that does not speak WebTransport, or says nothing for 10 s", async () => {
  using clock = fakeClock();
  const plain = MemoryQuic.pair();
  await openUnidirectional(
    plain.server,
    0,
    encodeFrame(FRAME_TYPE.SETTINGS, encodeSettings(new Map([[6n, 1n]]))),
  );
  const options = { ...TARGET, streamErrorCode: memoryErrorCode };
  await rejects(connectWebTransport(plain.client, options), { code: "unimplemented" });
  const silent = MemoryQuic.pair();
  const waiting = rejects(connectWebTransport(silent.client, options), { message: /settings/ });
  await clock.tick(10_000);
  await waiting;
  strictEqual(silent.client.closedWith?.closeCode, 0x10a);
});

Deno.test("a server that pushes, or sends a request, loses the connection", async () => {
  await using push = await begin();
  await openUnidirectional(push.server, 1);
  await rejects(push.session);
  strictEqual(push.client.closedWith?.closeCode, 0x108);
  await using asks = await begin();
  await put((await asks.server.createBidirectionalStream()).writable, headersFrame([[":method", "GET"]]));
  await rejects(asks.session);
  strictEqual(asks.client.closedWith?.closeCode, 0x103);
});

Deno.test("streams of the server that are faster than its answer are not lost", async () => {
  await using side = await begin();
  await openUnidirectional(side.server, streamHeader(0x54, 0), 7);
  await settle();
  await put(side.stream.writable, headersFrame([[":status", "200"]]));
  const { value } = await (await side.session).incomingUnidirectionalStreams.getReader().read();
  deepStrictEqual((await value!.getReader().read()).value, bytesOf(7));
});

Deno.test("a goaway drains the sessions, and lets no further one begin", async () => {
  const { client, server } = MemoryQuic.pair();
  const control = await openControl(server);
  const web = new WebTransportClient(client, { streamErrorCode: memoryErrorCode });
  const opening = web.connect(TARGET);
  const { value } = await server.incomingBidirectionalStreams.getReader().read();
  await put(value!.writable, headersFrame([[":status", "200"]]));
  const session = await opening;
  await put(control, encodeFrame(FRAME_TYPE.GOAWAY, encodeVarints(4)));
  await session.draining;
  await rejects(web.connect(TARGET), { code: "unavailable", message: /shutting down/ });
  strictEqual(client.closedWith, null);
  server.close({ closeCode: 0x100, reason: "" });
  await session.closed;
});

Deno.test("connect throws for header fields and protocols that cannot be sent", async () => {
  const { client, server } = MemoryQuic.pair();
  const web = new WebTransportClient(client, { streamErrorCode: memoryErrorCode });
  await rejects(web.connect({ ...TARGET, headers: { "a b": "c" } }), TypeError);
  await rejects(web.connect({ ...TARGET, protocols: ["\n"] }), RangeError);
  server.close({ closeCode: 0x100, reason: "" });
  await settle();
});

Deno.test("a connection cannot have two clients", async () => {
  const { client } = MemoryQuic.pair();
  const options = { ...TARGET, streamErrorCode: memoryErrorCode };
  const first = rejects(connectWebTransport(client, options));
  await rejects(connectWebTransport(client, options), { code: "internal" });
  await first;
});
