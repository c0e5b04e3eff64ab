/** Peers that break rules over real QUIC: they lose their connection, and nobody else notices. */

import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { array, assert as check, asyncProperty, boolean, record, uint8Array } from "fast-check";
import { ALPN_HTTP3, QUIC_OPTIONS } from "../../core/host/quic_options.ts";
import { encodeFrame } from "../../core/webtransport/http3_frame.ts";
import type { QuicBidirectionalStream } from "../../core/webtransport/quic_connection.ts";
import type { WebTransportRoute } from "../../core/webtransport/route.ts";
import type { WebTransportSession } from "../../core/webtransport/session.ts";
import {
  bytesOf,
  headersFrame,
  openControl,
  openUnidirectional,
  put,
  readAnswer,
  request,
  sessionFields,
  streamHeader,
} from "../support/raw_http3.ts";
import { openWebTransportPair, type WebTransportPair } from "../support/webtransport_pair.ts";
import { within } from "../support/within.ts";

/** Sends back what comes in bidirectional streams; counts and drops all else. */
function counting(): { route: WebTransportRoute; seen: { streams: number } } {
  const seen = { streams: 0 };
  const handle: WebTransportRoute["handle"] = async (session) => {
    const echo = async () => {
      for await (const { readable, writable } of session.incomingBidirectionalStreams) {
        readable.pipeTo(writable).catch(() => {});
      }
    };
    const drop = async () => {
      for await (const stream of session.incomingUnidirectionalStreams) {
        seen.streams++;
        stream.cancel().catch(() => {});
      }
    };
    await Promise.allSettled([echo(), drop()]);
  };
  return { route: { handle }, seen };
}

/** Hostile peers beside a session that must go on. */
async function arena() {
  const { route, seen } = counting();
  const pair = await openWebTransportPair({ "/": route }, { requestTimeoutMs: 1_000 });
  const good = await pair.dial("/");
  const peers: Deno.QuicConn[] = [];
  // QUIC ends streams that nobody holds.
  const held: unknown[] = [];
  const connect = async () => {
    const peer = await rawConnect(pair, ALPN_HTTP3);
    peers.push(peer);
    return peer;
  };
  return {
    ...{ pair, seen, connect },
    /** Connects and opens a good control stream. */
    async begin(): Promise<Deno.QuicConn> {
      const peer = await connect();
      held.push(await openControl(peer));
      return peer;
    },
    /** Opens a session. */
    async enter(peer: Deno.QuicConn): Promise<QuicBidirectionalStream> {
      const stream = await request(peer, sessionFields("/"));
      held.push(stream);
      strictEqual((await within(readAnswer(stream), "answer")).get(":status"), "200");
      return stream;
    },
    async [Symbol.asyncDispose]() {
      for (const peer of peers) peer.close();
      const { readable, writable } = await good.createBidirectionalStream();
      await put(writable, 1, 2, 3);
      await writable.close();
      const chunks: Uint8Array[] = [];
      await within(
        readable.pipeTo(new WritableStream({ write: (chunk) => void chunks.push(chunk) })),
        "echo",
      );
      deepStrictEqual(bytesOf(...chunks), bytesOf(1, 2, 3));
      await pair[Symbol.asyncDispose]();
    },
  };
}

async function rawConnect(pair: WebTransportPair, protocol: string): Promise<Deno.QuicConn> {
  const connection = await Deno.connectQuic({
    ...{
      hostname: "127.0.0.1",
      port: pair.listener.address.port,
      alpnProtocols: [protocol],
      ...QUIC_OPTIONS,
    },
    ...{ serverCertificateHashes: [{ algorithm: "sha-256", value: pair.hash }] },
  });
  connection.closed.catch(() => {});
  return connection;
}

const closeCode = async (peer: Deno.QuicConn) => (await within(peer.closed, "end")).closeCode;
const frame = (type: number, ...payload: number[]) => encodeFrame(BigInt(type), bytesOf(...payload));

Deno.test("a peer of another protocol does not get in", async () => {
  await using field = await arena();
  await rejects(rawConnect(field.pair, "h2"), /protocol/);
});

Deno.test("breaches of HTTP/3 end the connection with their code", async () => {
  await using field = await arena();
  const garbage = await field.connect();
  await openUnidirectional(garbage, 0, crypto.getRandomValues(new Uint8Array(5000)).fill(0x21, 0, 1));
  strictEqual(await closeCode(garbage), 0x10a);
  const huffman = await field.begin();
  const { writable } = await huffman.createBidirectionalStream();
  await put(writable, frame(1, 0, 0, 0x51, 0x84, 0xff, 0xff, 0xff, 0xff));
  strictEqual(await closeCode(huffman), 0x200);
  const ended = await field.connect();
  await (await openControl(ended)).close();
  strictEqual(await closeCode(ended), 0x104);
});

Deno.test("header fields that are too many, and frames that announce 2^40 bytes, cost nothing", async () => {
  await using field = await arena();
  const peer = await field.begin();
  const large = await request(peer, sessionFields("/", ["a", "x".repeat(20_000)]));
  strictEqual((await within(readAnswer(large), "answer")).get(":status"), "431");
  const { readable, writable } = await peer.createBidirectionalStream();
  await put(writable, 1, 0xc0, 0, 1, 0, 0, 0, 0, 0, new Uint8Array(100_000));
  strictEqual((await within(readAnswer({ readable, writable }), "answer")).get(":status"), "431");
  const fine = await request(peer, sessionFields("/"));
  await put(fine.writable, 0x21, 0xc0, 0, 1, 0, 0, 0, 0, 0, new Uint8Array(500_000));
  strictEqual((await within(readAnswer(fine), "answer")).get(":status"), "200");
});

Deno.test("a request that breaks off at any byte, by its end or with its connection, harms nobody", async () => {
  await using field = await arena();
  const whole = bytesOf(headersFrame(sessionFields("/")), frame(0, 0x68, 0x43, 5, 0, 0, 0, 7, 0x61));
  for (let length = 0; length < whole.length; length += 2) {
    const peer = await field.begin();
    const { writable } = await peer.createBidirectionalStream();
    await put(writable, whole.subarray(0, length));
    if (length % 4 === 0) await writable.close();
    else peer.close({ closeCode: 0x100, reason: "" });
  }
});

Deno.test("streams and datagrams before their session arrive; those after it, or for nobody, are dropped", async () => {
  await using field = await arena();
  const peer = await field.begin();
  await openUnidirectional(peer, streamHeader(0x54, 0), 1);
  for (let n = 0; n < 500; n++) await peer.sendDatagram(bytesOf(n % 64, 1));
  const session = await field.enter(peer);
  await openUnidirectional(peer, streamHeader(0x54, 0), 2);
  const untilSeen = async () => {
    while (field.seen.streams < 2) await new Promise((resolve) => setTimeout(resolve, 1));
  };
  await within(untilSeen(), "streams");
  await session.writable.close();
  const late = await openUnidirectional(peer, streamHeader(0x54, 0), 3);
  await rejects(within(
    (async () => {
      for (;; await new Promise((resolve) => setTimeout(resolve, 1))) await put(late, 3);
    })(),
    "refusal",
  ));
  strictEqual(field.seen.streams, 2);
});

Deno.test("random bytes on streams of all kinds and in datagrams harm nobody", async () => {
  await using field = await arena();
  const noise = uint8Array({ maxLength: 60 });
  const act = record({ bidirectional: boolean(), begins: boolean(), ends: boolean(), noise });
  await check(
    asyncProperty(array(act, { minLength: 1, maxLength: 6 }), noise, async (acts, datagram) => {
      const peer = await field.begin();
      // The server may close at any of these.
      try {
        for (const { bidirectional, begins, ends, noise } of acts) {
          const stream = bidirectional
            ? (await peer.createBidirectionalStream()).writable
            : await peer.createUnidirectionalStream();
          await put(stream, ...(begins ? [streamHeader(bidirectional ? 0x41 : 0x54, 0)] : []), noise);
          if (ends) await stream.close();
        }
        await peer.sendDatagram(datagram);
      } catch (error) {
        ok(
          error instanceof Error && /closed|connection lost|stopped by peer/.test(error.message),
          `${error}`,
        );
      }
      peer.close();
    }),
    { numRuns: 40 },
  );
});

Deno.test("a flood of the smallest frames and capsules on a session keeps no other session waiting", async () => {
  const { route } = counting();
  const sessions: WebTransportSession[] = [];
  const noting: WebTransportRoute = {
    ...route,
    handle: (session, request) => {
      sessions.push(session);
      return route.handle(session, request);
    },
  };
  await using pair = await openWebTransportPair({ "/": noting });
  const good = await pair.dial("/");
  const peer = await rawConnect(pair, ALPN_HTTP3);
  const control = await openControl(peer);
  const hostile = await request(peer, sessionFields("/"));
  await within(readAnswer(hostile), "answer");
  const nothing = new Uint8Array(500_000); // of type 0x21 and length 0
  for (let at = 0; at < nothing.length; at += 2) nothing[at] = 0x21;
  await put(hostile.writable, encodeFrame(0n, nothing));
  const flood = async () => {
    for (const writer = hostile.writable.getWriter();;) await writer.write(nothing);
  };
  const flooding = rejects(flood()); // until the connection ends
  const timesMs: number[] = [];
  for (let turn = 0; turn < 20; turn++) {
    const startMs = performance.now();
    const { readable, writable } = await good.createBidirectionalStream();
    await put(writable, turn);
    await writable.close();
    await within(readable.pipeTo(new WritableStream()), "echo");
    timesMs.push(performance.now() - startMs);
  }
  const medianMs = timesMs.sort((a, b) => a - b)[10] as number;
  ok(medianMs < 15, `${medianMs} ms`); // 40 without pauses, below 1 with them
  strictEqual(control.locked, false); // held until here
  peer.close();
  await flooding;
  await within(sessions[1]!.closed, "the end of the session, when all of the flood is read");
});

Deno.test("100,000 streams that are opened and dropped leave nothing behind", async () => {
  await using field = await arena();
  const peer = await field.begin();
  await field.enter(peer);
  const sizes: number[] = [];
  for (let n = 0; n < 100_000; n++) {
    const stream = await peer.createUnidirectionalStream({ waitUntilAvailable: true });
    await put(stream, streamHeader(0x54, 0), new Uint8Array(100));
    if (n % 2 === 0) await stream.close();
    else await stream.abort();
    if (n === 20_000) sizes.push(Deno.memoryUsage().rss);
  }
  sizes.push(Deno.memoryUsage().rss);
  const untilSeen = async () => {
    while (field.seen.streams < 100_000) await new Promise((resolve) => setTimeout(resolve, 1));
  };
  await within(untilSeen(), "streams");
  const [early, all] = sizes as [number, number];
  ok(all - early < 200e6, `${all - early} bytes more`); // a stream that stayed would cost more than 10 KB
});
