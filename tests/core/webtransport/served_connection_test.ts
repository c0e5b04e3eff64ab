/** Which requests become sessions, and how a server keeps its limits. */

import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { WasimoffError } from "../../../core/errors.ts";
import { encodeFrame, FRAME_TYPE } from "../../../core/webtransport/http3_frame.ts";
import type { WebTransportLimits } from "../../../core/webtransport/limits.ts";
import type { HeaderField } from "../../../core/webtransport/qpack_static_table.ts";
import type { QuicSendStream } from "../../../core/webtransport/quic_connection.ts";
import type { WebTransportRoute } from "../../../core/webtransport/route.ts";
import { WebTransportServer } from "../../../core/webtransport/server.ts";
import type { WebTransportSession } from "../../../core/webtransport/session.ts";
import { memoryErrorCode, MemoryQuic } from "../../support/memory_quic.ts";
import {
  openControl,
  openUnidirectional,
  put,
  readAnswer,
  readCapsules,
  request,
  sessionFields,
  streamHeader,
} from "../../support/raw_http3.ts";
import { fakeClock } from "../../support/session_pair.ts";
import { settle } from "../../support/settle.ts";

async function serve(
  routes: Readonly<Record<string, WebTransportRoute>>,
  limits: Partial<WebTransportLimits> = {},
  signal?: AbortSignal,
) {
  const { client, server } = MemoryQuic.pair();
  const errors: unknown[] = [];
  const webTransport = new WebTransportServer({
    ...{ routes, limits, streamErrorCode: memoryErrorCode },
    onError: (error) => errors.push(error),
  });
  const served = webTransport.serve(server, signal);
  const control = await openControl(client);
  return {
    ...{ client, server, errors, served, control },
    status: async (...fields: HeaderField[]) =>
      (await readAnswer(await request(client, fields))).get(":status"),
    async [Symbol.asyncDispose]() {
      client.close({ closeCode: 0x100, reason: "" });
      await served;
    },
  };
}

/** A route that keeps its sessions. */
function keeping(route: Partial<WebTransportRoute> = {}) {
  const sessions: WebTransportSession[] = [];
  return {
    sessions,
    route: { handle: (session: WebTransportSession) => void sessions.push(session), ...route },
  };
}

const without = (name: string) => sessionFields("/").filter((field) => field[0] !== name);

const REQUESTS: readonly [what: string, status: string, fields: readonly HeaderField[]][] = [
  ["a session at a known path", "200", sessionFields("/")],
  ["a session with a query", "200", sessionFields("/?a=b")],
  ["a session at an unknown path", "404", sessionFields("/x")],
  ["a plain request for an unknown path", "404", [[":method", "GET"], [":scheme", "https"], [":path", "/x"]]],
  ["a plain request for a known path", "501", [[":method", "GET"], [":scheme", "https"], [":path", "/"]]],
  ["another protocol", "501", [...without(":protocol"), [":protocol", "websocket"]].sort() as HeaderField[]],
  ["no authority", "400", without(":authority")],
  ["another scheme", "400", [...without(":scheme"), [":scheme", "http"]]],
  ["a path that begins with no slash", "400", sessionFields("x")],
  ["no method", "400", without(":method")],
  ["a field of HTTP/1", "400", sessionFields("/", ["connection", "close"])],
  ["control data behind a field", "400", [["a", "b"], ...sessionFields("/")]],
  ["control data twice", "400", [[":path", "/"], ...sessionFields("/")]],
  ["unknown control data", "400", [[":status", "200"], ...sessionFields("/")]],
  ["header fields above 16 KiB", "431", sessionFields("/", ["a", "x".repeat(16_384)])],
  ["200 header fields", "431", sessionFields("/", ...Array(200).fill(["a", "b"]))],
];

for (const [what, status, fields] of REQUESTS) {
  Deno.test(`a request gets ${status}: ${what}`, async () => {
    await using side = await serve({ "/": keeping().route });
    strictEqual(await side.status(...fields), status);
    deepStrictEqual(side.errors, []);
    strictEqual(side.server.closedWith, null);
  });
}

Deno.test("authorize sees the request and refuses by status, by error, or by a session that is closed at once", async () => {
  const seen: unknown[] = [];
  await using side = await serve({
    "/": {
      authorize({ authority, path, query, origin, headers, protocols }, { remoteAddress }) {
        seen.push([authority, path, query, origin, headers.get("x-a"), protocols, remoteAddress.hostname]);
        if (query === "?status") return { status: 418 };
        if (query === "?error") throw new WasimoffError("permission_denied", "no");
        if (query === "?late") return Promise.reject(new WasimoffError("resource_exhausted", "no"));
        if (query === "?bug") throw new TypeError("bug");
        return { closeCode: 4403, reason: "no token" };
      },
      handle: () => strictEqual(1, 2),
    },
  });
  const more = [["origin", "https://a"], ["x-a", "1"], ["wt-available-protocols", '"a", "b"']] as const;
  strictEqual(await side.status(...sessionFields("/?status", ...more)), "418");
  strictEqual(await side.status(...sessionFields("/?error")), "403");
  strictEqual(await side.status(...sessionFields("/?late")), "429");
  strictEqual(await side.status(...sessionFields("/?bug")), "500");
  const stream = await request(side.client, sessionFields("/"));
  strictEqual((await readAnswer(stream)).get(":status"), "200");
  deepStrictEqual(await readCapsules(stream), [{ type: "close", code: 4403, reason: "no token" }]);
  await stream.writable.close();
  deepStrictEqual(seen[0], ["test", "/", "?status", "https://a", "1", ["a", "b"], "192.0.2.1"]);
  deepStrictEqual(side.errors.map(String), ["TypeError: bug"]);
});

Deno.test("the server's favourite among the offered protocols is agreed on", async () => {
  const { route, sessions } = keeping({ protocols: ["c", "b", "a"] });
  await using side = await serve({ "/": route });
  const offer = (field: string) =>
    request(side.client, sessionFields("/", ["wt-available-protocols", field]));
  const answer = await readAnswer(await offer('"a", "b";q=1'));
  strictEqual(answer.get("wt-protocol"), '"b"');
  strictEqual(answer.get("sec-webtransport-http3-draft"), "draft02");
  strictEqual((await readAnswer(await offer("a, b"))).get("wt-protocol"), undefined);
  await settle();
  deepStrictEqual(sessions.map(({ protocol }) => protocol), ["b", ""]);
});

Deno.test("a handler that fails closes its session with code 1, and is reported", async () => {
  await using side = await serve({ "/": { handle: () => Promise.reject(new TypeError("bug")) } });
  const stream = await request(side.client, sessionFields("/"));
  await readAnswer(stream);
  deepStrictEqual(await readCapsules(stream), [{ type: "close", code: 1, reason: "the server failed" }]);
  deepStrictEqual(side.errors.map(String), ["TypeError: bug"]);
});

Deno.test("streams that come before their session are delivered in order", async () => {
  const { route, sessions } = keeping();
  await using side = await serve({ "/": route });
  await openUnidirectional(side.client, streamHeader(0x54, 0), 1);
  await openUnidirectional(side.client, streamHeader(0x54, 0), 2);
  await side.client.sendDatagram(new Uint8Array([0, 3]));
  await settle();
  await readAnswer(await request(side.client, sessionFields("/")));
  await settle();
  const [session] = sessions as [WebTransportSession];
  const reader = session.incomingUnidirectionalStreams.getReader();
  for (const expected of [1, 2]) {
    const { value } = await reader.read();
    strictEqual((await value!.getReader().read()).value![0], expected);
  }
  deepStrictEqual((await session.datagrams.readable.getReader().read()).value, new Uint8Array([3]));
});

Deno.test("early streams are refused beyond their number, after their time, and when the session is refused", async () => {
  using clock = fakeClock();
  await using side = await serve({}, { maxEarlyStreams: 2, earlyStreamTimeoutMs: 500 });
  const streams: QuicSendStream[] = [];
  for (let n = 0; n < 3; n++) {
    streams.push(await openUnidirectional(side.client, streamHeader(0x54, 4 * (n % 2))));
  }
  await settle();
  const isRefused = () => Promise.all(streams.map((stream) => put(stream, 1).then(() => false, () => true)));
  deepStrictEqual(await isRefused(), [false, false, true]);
  strictEqual(await side.status(...sessionFields("/none")), "404");
  await settle();
  deepStrictEqual(await isRefused(), [true, false, true]);
  await clock.tick(500);
  deepStrictEqual(await isRefused(), [true, true, true]);
});

Deno.test("a server holds 16 early streams, as each may bring more than a megabyte", async () => {
  using _clock = fakeClock();
  await using side = await serve({});
  const streams: QuicSendStream[] = [];
  for (let n = 0; n < 17; n++) streams.push(await openUnidirectional(side.client, streamHeader(0x54, 0)));
  await settle();
  await put(streams[15]!, 1);
  await rejects(put(streams[16]!, 1));
});

Deno.test("a connection has so many sessions and unanswered requests, and no more", async () => {
  const gate = Promise.withResolvers<void>();
  await using side = await serve({
    "/": keeping().route,
    "/slow": keeping({ authorize: () => gate.promise }).route,
  }, { maxSessions: 2, maxUnansweredRequests: 2 });
  const slow = [
    await request(side.client, sessionFields("/slow")),
    await request(side.client, sessionFields("/slow")),
  ];
  await settle();
  strictEqual(await side.status(...sessionFields("/")), "429");
  gate.resolve();
  for (const stream of slow) strictEqual((await readAnswer(stream)).get(":status"), "200");
  await settle();
  strictEqual(await side.status(...sessionFields("/")), "429");
});

Deno.test("silent peers are given up: without settings, without a request, with half a request or an endless authorize", async () => {
  using clock = fakeClock();
  const { client, server } = MemoryQuic.pair();
  const served = new WebTransportServer({ routes: {}, streamErrorCode: memoryErrorCode }).serve(server);
  await openUnidirectional(client, 0);
  await clock.tick(10_000);
  strictEqual(server.closedWith?.closeCode, 0x10a);
  await served;

  await using idle = await serve({});
  await clock.tick(10_000);
  strictEqual(idle.server.closedWith?.closeCode, 0x100);

  await using half = await serve({ "/": keeping({ authorize: () => new Promise<void>(() => {}) }).route });
  const partial = await half.client.createBidirectionalStream();
  await put(partial.writable, 1, 100, 0);
  const endless = await request(half.client, sessionFields("/"));
  await clock.tick(10_000);
  strictEqual((await readAnswer(partial)).get(":status"), "408");
  strictEqual((await readAnswer(endless)).get(":status"), "504");
});

Deno.test("a client that lets nothing be sent is given up, whether its request is answered or refused", async () => {
  using clock = fakeClock();
  const { route, sessions } = keeping();
  await using side = await serve({ "/": route }, { requestTimeoutMs: 5_000, lingerMs: 1_000 });
  side.client.isStalling = true;
  await request(side.client, sessionFields("/"));
  await request(side.client, sessionFields("/none"));
  await clock.tick(5_999);
  strictEqual(side.server.closedWith, null);
  await clock.tick(1);
  deepStrictEqual(side.server.closedWith, { closeCode: 0x100, reason: "" });
  deepStrictEqual([sessions, side.errors], [[], []]);
});

Deno.test("a refused request that sends on is stopped, not read for ever", async () => {
  await using side = await serve({}, { maxDrainedBytes: 1_000 });
  const stream = await request(side.client, sessionFields("/none"));
  strictEqual((await readAnswer(stream)).get(":status"), "404");
  const data = encodeFrame(FRAME_TYPE.DATA, new Uint8Array(500));
  for (let n = 0; n < 2; n++) {
    await put(stream.writable, data);
    await settle();
  }
  await rejects(put(stream.writable, data));
});

Deno.test("the signal ends connections whose control stream cannot be written", async () => {
  const { client, server } = MemoryQuic.pair();
  client.isStalling = true;
  const stop = new AbortController();
  const served = new WebTransportServer({ routes: {}, streamErrorCode: memoryErrorCode }).serve(
    server,
    stop.signal,
  );
  await settle();
  stop.abort();
  await served;
  strictEqual(server.closedWith?.closeCode, 0x100);
});

Deno.test("requests that are let in at the same time count as sessions", async () => {
  const gate = Promise.withResolvers<void>();
  const { route, sessions } = keeping({ authorize: () => gate.promise });
  await using side = await serve({ "/": route }, { maxSessions: 2 });
  const asked = await Promise.all(Array.from({ length: 4 }, () => request(side.client, sessionFields("/"))));
  await settle();
  gate.resolve();
  const answers = await Promise.all(asked.map(readAnswer));
  deepStrictEqual(answers.map((fields) => fields.get(":status")), ["200", "200", "429", "429"]);
  await settle();
  strictEqual(sessions.length, 2);
});

Deno.test("a stream whose header does not come is given up", async () => {
  using clock = fakeClock();
  const { route } = keeping();
  await using side = await serve({ "/": route }, { streamHeaderTimeoutMs: 2_000 });
  await readAnswer(await request(side.client, sessionFields("/")));
  const silent = await openUnidirectional(side.client, 0x40);
  await clock.tick(2_000);
  await rejects(put(silent, 0x54, 0));
  strictEqual(side.server.closedWith, null);
});

Deno.test("a bounded number of streams without header is looked at, and the others wait", async () => {
  using clock = fakeClock();
  const { route, sessions } = keeping();
  await using side = await serve({ "/": route }, { maxUnreadStreamHeaders: 2, streamHeaderTimeoutMs: 2_000 });
  await readAnswer(await request(side.client, sessionFields("/")));
  await settle();
  for (let n = 0; n < 3; n++) await openUnidirectional(side.client, 0x40);
  await openUnidirectional(side.client, streamHeader(0x54, 0));
  const reader = sessions[0]!.incomingUnidirectionalStreams.getReader();
  let came = false;
  const next = reader.read().then(() => void (came = true));
  await clock.tick(1_999);
  strictEqual(came, false);
  await clock.tick(1);
  await next;
});

Deno.test("a connection ends one second after its last session, which browsers leave open", async () => {
  using clock = fakeClock();
  const { route } = keeping();
  await using side = await serve({ "/": route });
  const stream = await request(side.client, sessionFields("/"));
  await readAnswer(stream);
  await clock.tick(60_000);
  strictEqual(side.server.closedWith, null);
  await stream.writable.close();
  await clock.tick(999);
  strictEqual(side.server.closedWith, null);
  await clock.tick(1);
  deepStrictEqual(side.server.closedWith, { closeCode: 0x100, reason: "" });
  await side.served;
});

Deno.test("the signal says goaway, closes the sessions, refuses requests, and ends the connection", async () => {
  const stop = new AbortController();
  const { route, sessions } = keeping({
    authorize: ({ query }) => query === "?wait" ? new Promise<void>(() => {}) : undefined,
  });
  await using side = await serve({ "/": route }, {}, stop.signal);
  const stream = await request(side.client, sessionFields("/"));
  await readAnswer(stream);
  await settle();
  const waiting = await request(side.client, sessionFields("/?wait"));
  await settle();
  stop.abort();
  deepStrictEqual(await readCapsules(stream), [{
    type: "close",
    code: 0,
    reason: "server is shutting down",
  }]);
  strictEqual((await readAnswer(waiting)).get(":status"), "503");
  strictEqual(await side.status(...sessionFields("/")), "503");
  await stream.writable.close();
  await side.served;
  strictEqual(side.server.closedWith?.closeCode, 0x100);
  deepStrictEqual(await sessions[0]!.closed, { closeCode: 0, reason: "server is shutting down" });
});
