/** Sessions of our client at our server, in memory. */

import { deepStrictEqual, rejects, strictEqual, throws } from "node:assert/strict";
import { toHttp3Code } from "../../../core/webtransport/application_error.ts";
import { WebTransportClient } from "../../../core/webtransport/client.ts";
import type { WebTransportLimits } from "../../../core/webtransport/limits.ts";
import { WebTransportServer } from "../../../core/webtransport/server.ts";
import type { WebTransportSession } from "../../../core/webtransport/session.ts";
import {
  memoryErrorCode as streamErrorCode,
  MemoryQuic,
  type MemorySendStream,
} from "../../support/memory_quic.ts";
import { bytesOf, openControl, put, readAnswer, request, sessionFields } from "../../support/raw_http3.ts";
import { fakeClock } from "../../support/session_pair.ts";
import { settle } from "../../support/settle.ts";

/** `theirs` is the server's. */
async function open(limits: Partial<WebTransportLimits> = {}, quic = MemoryQuic.pair()) {
  const accepted: WebTransportSession[] = [];
  const handle = (session: WebTransportSession) => void accepted.push(session);
  const server = new WebTransportServer({ routes: { "/": { handle } }, limits, streamErrorCode });
  const served = server.serve(quic.server);
  const client = new WebTransportClient(quic.client, { limits, streamErrorCode });
  const connect = async () => {
    const ours = await client.connect({ authority: "test", path: "/" });
    await settle();
    return { ours, theirs: accepted.pop() as WebTransportSession };
  };
  return {
    ...{ quic, served, connect },
    ...await connect(),
    async [Symbol.asyncDispose]() {
      quic.client.close({ closeCode: 0x100, reason: "" });
      await served;
    },
  };
}

async function readAll(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return bytesOf(...chunks);
}

Deno.test("streams of both kinds carry bytes both ways to their end, with ids, and nothing of their headers", async () => {
  await using pair = await open();
  for (const [from, to] of [[pair.ours, pair.theirs], [pair.theirs, pair.ours]] as const) {
    const uni = await from.createUnidirectionalStream();
    await put(uni, 1, 2, 3);
    await uni.close();
    const { value: incoming } = await to.incomingUnidirectionalStreams.getReader().read();
    deepStrictEqual(await readAll(incoming!), bytesOf(1, 2, 3));
    const bidi = await from.createBidirectionalStream();
    await put(bidi.writable, 4);
    const { value: answer } = await to.incomingBidirectionalStreams.getReader().read();
    strictEqual(answer!.readable.id, bidi.writable.id);
    deepStrictEqual((await answer!.readable.getReader().read()).value, bytesOf(4));
    await put(answer!.writable, 5);
    await answer!.writable.close();
    deepStrictEqual(await readAll(bidi.readable), bytesOf(5));
  }
});

Deno.test("sessions on one connection get their own streams and datagrams, and end by themselves", async () => {
  await using pair = await open();
  const second = await pair.connect();
  strictEqual(second.ours.id, 4n);
  await put(await second.ours.createUnidirectionalStream(), 2);
  await put(await pair.ours.createUnidirectionalStream(), 1);
  await second.ours.datagrams.writable.getWriter().write(bytesOf(22));
  for (const [{ theirs }, expected] of [[pair, 1], [second, 2]] as const) {
    const { value } = await theirs.incomingUnidirectionalStreams.getReader().read();
    deepStrictEqual((await value!.getReader().read()).value, bytesOf(expected));
  }
  deepStrictEqual((await second.theirs.datagrams.readable.getReader().read()).value, bytesOf(22));
  pair.ours.close({ closeCode: 1, reason: "first" });
  deepStrictEqual(await pair.theirs.closed, { closeCode: 1, reason: "first" });
  await put(await second.theirs.createUnidirectionalStream(), 3);
  const { value } = await second.ours.incomingUnidirectionalStreams.getReader().read();
  deepStrictEqual((await value!.getReader().read()).value, bytesOf(3));
});

Deno.test("close tells the peer code and reason, ends streams and datagrams, and the client's connection", async () => {
  await using pair = await open();
  const { ours, theirs } = pair;
  await put(await theirs.createUnidirectionalStream(), 1);
  await settle();
  theirs.close({ closeCode: 4_294_967_295, reason: "bye" });
  deepStrictEqual(await ours.closed, { closeCode: 4_294_967_295, reason: "bye" });
  deepStrictEqual(await theirs.closed, { closeCode: 4_294_967_295, reason: "bye" });
  deepStrictEqual(pair.quic.client.closedWith, { closeCode: 0x100, reason: "" });
  const streams = ours.incomingUnidirectionalStreams.getReader();
  strictEqual((await streams.read()).done, false);
  strictEqual((await streams.read()).done, true);
  strictEqual((await ours.incomingBidirectionalStreams.getReader().read()).done, true);
  strictEqual((await ours.datagrams.readable.getReader().read()).done, true);
  await rejects(ours.datagrams.writable.getWriter().write(bytesOf(1)), { code: "unavailable" });
  await rejects(ours.createBidirectionalStream(), { code: "unavailable" });
  await rejects(ours.createUnidirectionalStream(), { code: "unavailable" });
  ours.close();
});

Deno.test("close refuses a code above 32 bits, cuts a long reason, and counts once", async () => {
  await using pair = await open();
  throws(() => pair.ours.close({ closeCode: 2 ** 32 }), RangeError);
  pair.ours.close({ closeCode: 1, reason: "é".repeat(1000) });
  pair.ours.close({ closeCode: 2 });
  deepStrictEqual(await pair.theirs.closed, { closeCode: 1, reason: "é".repeat(512) });
});

Deno.test("the end of a session goes before all that is queued, whatever its order", async () => {
  const quic = MemoryQuic.pair();
  const create = quic.client.createBidirectionalStream.bind(quic.client);
  const opened: MemorySendStream[] = [];
  quic.client.createBidirectionalStream = async () => {
    const stream = await create();
    opened.push(stream.writable);
    return stream;
  };
  await using pair = await open({}, quic);
  strictEqual(opened[0]!.sendOrder, 0);
  pair.ours.close();
  strictEqual(opened[0]!.sendOrder, 2 ** 31 - 1);
  await pair.ours.closed;
});

Deno.test("when both sides close at the same time, each keeps what it has said", async () => {
  await using pair = await open();
  pair.ours.close({ closeCode: 1, reason: "ours" });
  pair.theirs.close({ closeCode: 2, reason: "theirs" });
  deepStrictEqual(await pair.ours.closed, { closeCode: 1, reason: "ours" });
  deepStrictEqual(await pair.theirs.closed, { closeCode: 2, reason: "theirs" });
});

Deno.test("who writes datagrams learns of the end of the session", async () => {
  await using pair = await open();
  const writer = pair.theirs.datagrams.writable.getWriter();
  await writer.write(bytesOf(1));
  pair.ours.close();
  await pair.ours.closed;
  await rejects(writer.write(bytesOf(2)), { code: "unavailable" });
});

Deno.test("close waits one second for a peer that does not agree", async () => {
  using clock = fakeClock();
  const { client, server } = MemoryQuic.pair();
  let session: WebTransportSession | undefined;
  const handle = (accepted: WebTransportSession) => void (session = accepted);
  const served = new WebTransportServer({ routes: { "/": { handle } }, streamErrorCode }).serve(server);
  await openControl(client);
  await readAnswer(await request(client, sessionFields("/")));
  await settle();
  session!.close({ closeCode: 3, reason: "" });
  let ended = false;
  session!.closed.then(() => ended = true);
  await clock.tick(999);
  strictEqual(ended, false);
  await clock.tick(1);
  strictEqual(ended, true);
  client.close({ closeCode: 0x100, reason: "" });
  await served;
});

Deno.test("a session whose connection is lost rejects `closed`, and breaks what waits", async () => {
  await using pair = await open();
  const { ours } = pair;
  const streams = ours.incomingBidirectionalStreams.getReader().read();
  const datagram = ours.datagrams.readable.getReader().read();
  pair.quic.client.lose();
  await rejects(ours.closed, { code: "unavailable", message: "connection lost: timed out" });
  await rejects(streams, { code: "unavailable" });
  await rejects(datagram, { code: "unavailable" });
});

Deno.test("drainPeer resolves `draining` on the other side", async () => {
  await using pair = await open();
  pair.theirs.drainPeer();
  await pair.ours.draining;
});

Deno.test("codes of resets and refusals arrive, and other errors have none", async () => {
  await using pair = await open();
  const stream = await pair.ours.createUnidirectionalStream() as MemorySendStream;
  await put(stream, 1);
  const { value } = await pair.theirs.incomingUnidirectionalStreams.getReader().read();
  stream.reset(toHttp3Code(4_000_000_000));
  const error = await value!.getReader().read().catch((thrown) => thrown);
  strictEqual(pair.theirs.streamErrorCode(error), 4_000_000_000);
  strictEqual(pair.theirs.streamErrorCode(new Error("other")), undefined);
});

Deno.test("datagrams that nobody reads make room for newer ones, and are counted", async () => {
  await using pair = await open({ maxWaitingDatagrams: 3 });
  const writer = pair.ours.datagrams.writable.getWriter();
  for (let n = 0; n < 5; n++) await writer.write(bytesOf(n));
  await settle();
  const reader = pair.theirs.datagrams.readable.getReader();
  for (const expected of [2, 3, 4]) deepStrictEqual((await reader.read()).value, bytesOf(expected));
  strictEqual(pair.theirs.datagrams.droppedIncoming, 2);
  const next = reader.read();
  await writer.write(bytesOf(9));
  deepStrictEqual((await next).value, bytesOf(9));
});

Deno.test("who floods with datagrams lets others have their turn after 256", async () => {
  using clock = fakeClock();
  await using pair = await open({ maxWaitingDatagrams: 1 });
  const { datagrams } = pair.theirs;
  for (let n = 0; n < 600; n++) void pair.quic.client.sendDatagram(bytesOf(0, 1));
  for (let turn = 0; turn < 10; turn++) await settle();
  strictEqual(datagrams.droppedIncoming, 254);
  await clock.tick(1);
  strictEqual(datagrams.droppedIncoming, 599);
});

Deno.test("a datagram as large as allowed arrives; a larger one is dropped and counted", async () => {
  await using pair = await open();
  const { datagrams } = pair.ours;
  strictEqual(datagrams.maxDatagramSize, 1199);
  const writer = datagrams.writable.getWriter();
  await writer.write(new Uint8Array(1200));
  await writer.write(new Uint8Array(1199));
  strictEqual((await pair.theirs.datagrams.readable.getReader().read()).value!.length, 1199);
  strictEqual(datagrams.droppedOutgoing, 1);
});

Deno.test("streams that nobody takes are refused beyond their number", async () => {
  await using pair = await open({ maxWaitingStreams: 2 });
  const streams: MemorySendStream[] = [];
  for (let n = 0; n < 3; n++) {
    streams.push(await pair.ours.createUnidirectionalStream() as MemorySendStream);
    await put(streams[n]!, n);
    await settle();
  }
  await put(streams[1]!, 1);
  await rejects(put(streams[2]!, 1));
});

Deno.test("streams are refused that come after the user has cancelled the stream of streams", async () => {
  await using pair = await open();
  await pair.theirs.incomingUnidirectionalStreams.cancel();
  const stream = await pair.ours.createUnidirectionalStream();
  await put(stream, 1);
  await settle();
  await rejects(put(stream, 2));
});

Deno.test("who waits for room for a stream is told when the session ends, and a stream that comes late is dropped", async () => {
  await using pair = await open();
  await pair.connect();
  const room = Promise.withResolvers<void>();
  const create = pair.quic.client.createUnidirectionalStream.bind(pair.quic.client);
  let late: MemorySendStream | undefined;
  pair.quic.client.createUnidirectionalStream = async () => {
    await room.promise;
    return late = await create();
  };
  const waiting = pair.ours.createUnidirectionalStream({ waitUntilAvailable: true });
  pair.theirs.close();
  await rejects(waiting, { code: "unavailable", message: "cannot open a stream: the session has ended" });
  room.resolve();
  await settle();
  await rejects(put(late!, 1));
});

Deno.test("a stream that opens in the moment in which the session ends is dropped", async () => {
  await using pair = await open();
  const create = pair.quic.client.createUnidirectionalStream.bind(pair.quic.client);
  const opened: MemorySendStream[] = [];
  pair.quic.client.createUnidirectionalStream = () => {
    const made = create();
    made.then((stream) => {
      opened.push(stream);
      pair.ours.close();
    });
    return made;
  };
  await rejects(pair.ours.createUnidirectionalStream(), { code: "unavailable" });
  await settle();
  await rejects(put(opened[0]!, 1));
});

Deno.test("the end of one session drops its open streams that nobody has locked", async () => {
  await using pair = await open();
  await pair.connect();
  const stream = await pair.ours.createUnidirectionalStream();
  await put(stream, 1);
  await settle();
  pair.theirs.close();
  await pair.theirs.closed;
  await settle();
  await rejects(stream.getWriter().write(bytesOf(2)));
  strictEqual(pair.quic.client.closedWith, null);
});
