/** What a server does with peers that break the rules of HTTP/3, and with those that are merely strange. */

import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { encodeClose } from "../../../core/webtransport/capsule.ts";
import { encodeFrame, FRAME_TYPE } from "../../../core/webtransport/http3_frame.ts";
import { HTTP3_CODES, type Http3ErrorName } from "../../../core/webtransport/http3_error.ts";
import { encodeVarints } from "../../../core/webtransport/varint.ts";
import { WebTransportServer } from "../../../core/webtransport/server.ts";
import { memoryErrorCode, MemoryQuic } from "../../support/memory_quic.ts";
import {
  bytesOf,
  headersFrame,
  openControl,
  openUnidirectional,
  put,
  readAnswer,
  readCapsules,
  request,
  sessionFields,
  SETTINGS_FRAME,
  streamHeader,
} from "../../support/raw_http3.ts";
import { settle } from "../../support/settle.ts";

/** A server with a session at "/", and what it says when it closes the connection. */
function serve() {
  const { client, server } = MemoryQuic.pair();
  const errors: unknown[] = [];
  const closed: unknown[] = [];
  const webTransport = new WebTransportServer({
    routes: {
      "/": {
        handle: ({ closed: end }) => void end.then((info) => closed.push(info), (e) => closed.push(e.code)),
      },
    },
    streamErrorCode: memoryErrorCode,
    onError: (error) => errors.push(error),
  });
  const served = webTransport.serve(server);
  return {
    client,
    server,
    errors,
    /** How the sessions ended, in order. */
    closed,
    async [Symbol.asyncDispose]() {
      client.close({ closeCode: HTTP3_CODES.H3_NO_ERROR, reason: "" });
      await served;
    },
  };
}

type Act = (client: MemoryQuic) => Promise<unknown>;

const frame = (type: bigint | number, ...payload: number[]) => encodeFrame(BigInt(type), bytesOf(...payload));

async function controlWith(client: MemoryQuic, ...parts: (Uint8Array | number)[]) {
  return await openUnidirectional(client, 0, SETTINGS_FRAME, ...parts);
}

async function session(client: MemoryQuic) {
  await openControl(client);
  const stream = await request(client, sessionFields("/"));
  strictEqual((await readAnswer(stream)).get(":status"), "200");
  await settle();
  return stream;
}

const BREACHES: readonly [what: string, expected: Http3ErrorName, act: Act][] = [
  [
    "garbage instead of settings",
    "H3_MISSING_SETTINGS",
    (c) => openUnidirectional(c, 0, frame(0x21, 1), 0xff),
  ],
  ["a setting of HTTP/2", "H3_SETTINGS_ERROR", (c) => openUnidirectional(c, 0, frame(4, 2, 0))],
  ["a setting twice", "H3_SETTINGS_ERROR", (c) => openUnidirectional(c, 0, frame(4, 6, 1, 6, 1))],
  ["settings twice", "H3_FRAME_UNEXPECTED", (c) => controlWith(c, SETTINGS_FRAME)],
  ["headers on the control stream", "H3_FRAME_UNEXPECTED", (c) => controlWith(c, frame(1, 0, 0))],
  ["data on the control stream", "H3_FRAME_UNEXPECTED", (c) => controlWith(c, frame(0, 1))],
  ["a frame of HTTP/2 on the control stream", "H3_FRAME_UNEXPECTED", (c) => controlWith(c, frame(6))],
  [
    "a large frame on the control stream",
    "H3_EXCESSIVE_LOAD",
    (c) => controlWith(c, encodeVarints(7, 1 << 20)),
  ],
  ["a goaway of two integers", "H3_FRAME_ERROR", (c) => controlWith(c, frame(7, 0, 0))],
  ["a goaway that grows", "H3_ID_ERROR", (c) => controlWith(c, frame(7, 0), frame(7, 4))],
  ["two control streams", "H3_STREAM_CREATION_ERROR", async (c) => {
    await openControl(c);
    await openControl(c);
  }],
  ["a control stream that ends", "H3_CLOSED_CRITICAL_STREAM", async (c) => (await openControl(c)).close()],
  [
    "a control stream that is reset",
    "H3_CLOSED_CRITICAL_STREAM",
    async (c) => (await openControl(c)).reset(0),
  ],
  ["a push of a client", "H3_STREAM_CREATION_ERROR", (c) => openUnidirectional(c, 1)],
  ["two encoder streams", "H3_STREAM_CREATION_ERROR", async (c) => {
    await openUnidirectional(c, 2);
    await openUnidirectional(c, 2);
  }],
  [
    "an encoder stream that ends",
    "H3_CLOSED_CRITICAL_STREAM",
    async (c) => (await openUnidirectional(c, 2)).close(),
  ],
  [
    "an insertion into the dynamic table",
    "QPACK_ENCODER_STREAM_ERROR",
    (c) => openUnidirectional(c, 2, 0xc1, 0),
  ],
  ["a dynamic table", "QPACK_ENCODER_STREAM_ERROR", (c) => openUnidirectional(c, 2, 0x3f, 0xe1, 0x1f)],
  ["an acknowledged insertion", "QPACK_DECODER_STREAM_ERROR", (c) => openUnidirectional(c, 3, 0x01)],
  ["an acknowledged section", "QPACK_DECODER_STREAM_ERROR", (c) => openUnidirectional(c, 3, 0x40, 0x80)],
  [
    "a stream of a session that cannot be",
    "H3_ID_ERROR",
    (c) => openUnidirectional(c, streamHeader(0x54, 3)),
  ],
  ["a bidirectional stream of one that cannot be", "H3_ID_ERROR", async (c) => {
    await put((await c.createBidirectionalStream()).writable, streamHeader(0x41, 1));
  }],
  ["a stream of one whose id is that of a unidirectional stream", "H3_ID_ERROR", async (c) => {
    await put((await c.createBidirectionalStream()).writable, streamHeader(0x41, (1n << 62n) - 2n));
  }],
  ["a datagram beyond the last stream", "H3_DATAGRAM_ERROR", (c) => c.sendDatagram(encodeVarints(1n << 60n))],
  ["a datagram that is cut short", "H3_DATAGRAM_ERROR", (c) => c.sendDatagram(bytesOf(0x40))],
  ["an empty datagram", "H3_DATAGRAM_ERROR", (c) => c.sendDatagram(bytesOf())],
  ["data before the headers of a request", "H3_FRAME_UNEXPECTED", async (c) => {
    await put((await c.createBidirectionalStream()).writable, frame(0, 1));
  }],
  ["settings on a request", "H3_FRAME_UNEXPECTED", async (c) => {
    await put((await c.createBidirectionalStream()).writable, SETTINGS_FRAME);
  }],
  ["bad Huffman", "QPACK_DECOMPRESSION_FAILED", async (c) => {
    await put(
      (await c.createBidirectionalStream()).writable,
      frame(1, 0, 0, 0x51, 0x84, 0xff, 0xff, 0xff, 0xff),
    );
  }],
  ["fields of the dynamic table", "QPACK_DECOMPRESSION_FAILED", async (c) => {
    await put((await c.createBidirectionalStream()).writable, frame(1, 2, 0, 0x80));
  }],
  ["header fields within a session", "H3_FRAME_UNEXPECTED", async (c) => {
    await put((await session(c)).writable, headersFrame([["a", "b"]]));
  }],
  ["a frame that is cut short at the end of a request", "H3_FRAME_ERROR", async (c) => {
    const { writable } = await c.createBidirectionalStream();
    await put(writable, 1, 100, 0, 0);
    await writable.close();
  }],
];

for (const [what, expected, act] of BREACHES) {
  Deno.test(`WebTransportServer.serve() closes the connection for ${what}: ${expected}`, async () => {
    await using side = serve();
    await act(side.client);
    await settle();
    strictEqual(side.server.closedWith?.closeCode, HTTP3_CODES[expected]);
    strictEqual(side.errors.length, 1);
  });
}

const ODDITIES: readonly [what: string, act: Act][] = [
  ["unknown frames on its control stream", (c) => controlWith(c, frame(0x21, 1, 2), frame(0x40e, 0))],
  ["an unknown stream", (c) => openUnidirectional(c, 0x21, 1, 2, 3)],
  ["an unknown stream with nothing more", (c) => openUnidirectional(c, 0x21)],
  ["a stream that ends before its header", async (c) => (await c.createUnidirectionalStream()).close()],
  ["a stream that ends inside of its header", async (c) => (await openUnidirectional(c, 0x40)).close()],
  [
    "a stream that is reset inside of its header",
    async (c) => (await openUnidirectional(c, 0x40, 0x54)).reset(1),
  ],
  ["a request that is reset", async (c) => {
    const { writable } = await c.createBidirectionalStream();
    await put(writable, 1, 50);
    writable.reset(5);
  }],
  ["a request that ends before its headers", async (c) => {
    const { writable } = await c.createBidirectionalStream();
    await put(writable, frame(0x21, 7));
    await writable.close();
  }],
  ["streams of QPACK without a word", async (c) => {
    await openUnidirectional(c, 2, 0x20);
    await openUnidirectional(c, 3, 0x41, 0x7f, 0x80, 0x01);
  }],
  ["streams and datagrams for nobody", async (c) => {
    await openUnidirectional(c, streamHeader(0x54, 400), 1);
    await put((await c.createBidirectionalStream()).writable, streamHeader(0x41, 400), 1);
    await c.sendDatagram(bytesOf(33, 1, 2));
  }],
];

for (const [what, act] of ODDITIES) {
  Deno.test(`WebTransportServer.serve() goes on after ${what}`, async () => {
    await using side = serve();
    await act(side.client);
    await settle();
    if (!what.includes("control")) await openControl(side.client);
    const stream = await request(side.client, sessionFields("/"));
    strictEqual((await readAnswer(stream)).get(":status"), "200");
    strictEqual(side.server.closedWith, null);
    deepStrictEqual(side.errors, []);
  });
}

Deno.test("a session ends with the code and reason of its capsule, and skips unknown frames and capsules", async () => {
  await using side = serve();
  const stream = await session(side.client);
  const unknown = encodeFrame(0x29n, new Uint8Array(20));
  await put(stream.writable, frame(0x21, 1), encodeFrame(FRAME_TYPE.DATA, unknown));
  const capsule = encodeClose(4242, "bye");
  for (const byte of capsule) await put(stream.writable, frame(0, byte));
  await stream.writable.close();
  await settle();
  deepStrictEqual(side.closed, [{ closeCode: 4242, reason: "bye" }]);
});

Deno.test("a session whose CONNECT stream ends without a capsule ends with code 0", async () => {
  await using side = serve();
  const stream = await session(side.client);
  await stream.writable.close();
  await settle();
  deepStrictEqual(side.closed, [{ closeCode: 0, reason: "" }]);
  deepStrictEqual(await readCapsules(stream), []);
});

Deno.test("a session that ends while it is asked for ends, whatever else comes in the same piece", async () => {
  await using side = serve();
  await openControl(side.client);
  const stream = await side.client.createBidirectionalStream();
  const close = encodeFrame(FRAME_TYPE.DATA, encodeClose(9, "at once"));
  await put(stream.writable, headersFrame(sessionFields("/")), close);
  await stream.writable.close();
  strictEqual((await readAnswer(stream)).get(":status"), "200");
  await settle();
  deepStrictEqual(side.closed, [{ closeCode: 9, reason: "at once" }]);
});

Deno.test("streams of a session that has ended are refused at once", async () => {
  await using side = serve();
  await (await session(side.client)).writable.close();
  await settle();
  const late = await openUnidirectional(side.client, streamHeader(0x54, 0), 1);
  await settle();
  await rejects(put(late, 2));
  strictEqual(side.server.closedWith, null);
});

Deno.test("a session whose CONNECT stream is reset is lost, and the next one is fine", async () => {
  await using side = serve();
  (await session(side.client)).writable.reset(7);
  await settle();
  deepStrictEqual(side.closed, ["unavailable"]);
  const next = await request(side.client, sessionFields("/"));
  strictEqual((await readAnswer(next)).get(":status"), "200");
});

Deno.test("a session with a bad capsule is lost, and the connection goes on", async () => {
  await using side = serve();
  const stream = await session(side.client);
  await put(stream.writable, frame(0, 0x68, 0x43, 2, 0, 0));
  await settle();
  deepStrictEqual(side.closed, ["unavailable"]);
  strictEqual(side.server.closedWith, null);
});

Deno.test("resets at every byte of a request and of a stream's header leave the connection as it is", async () => {
  await using side = serve();
  await openControl(side.client);
  const whole = [
    bytesOf(headersFrame(sessionFields("/")), frame(0, ...encodeClose(7, "a"))),
    bytesOf(streamHeader(0x41, 4096), 1),
  ];
  for (const bytes of whole) {
    for (let length = 0; length <= bytes.length; length++) {
      const { readable, writable } = await side.client.createBidirectionalStream();
      await put(writable, bytes.subarray(0, length));
      if (length % 2 === 0) await settle();
      writable.reset(length);
      await readable.cancel();
    }
  }
  for (let length = 0; length <= 4; length++) {
    (await openUnidirectional(side.client, bytesOf(streamHeader(0x54, 4096)).subarray(0, length))).reset(
      length,
    );
  }
  await settle();
  strictEqual((await readAnswer(await request(side.client, sessionFields("/")))).get(":status"), "200");
  strictEqual(side.server.closedWith, null);
  deepStrictEqual(side.errors, []);
});

Deno.test("all sessions of a connection end when the peer closes it", async () => {
  await using side = serve();
  await session(side.client);
  await readAnswer(await request(side.client, sessionFields("/")));
  await settle();
  side.client.close({ closeCode: HTTP3_CODES.H3_NO_ERROR, reason: "done" });
  await settle();
  deepStrictEqual(side.closed, [{ closeCode: 0, reason: "done" }, { closeCode: 0, reason: "done" }]);
});

Deno.test("all sessions of a connection are lost when it breaks", async () => {
  await using side = serve();
  await session(side.client);
  side.server.lose();
  await settle();
  deepStrictEqual(side.closed, ["unavailable"]);
});

Deno.test("sessions are lost when the peer closes the connection with an error, and get a code that is none of HTTP/3", async () => {
  for (const [closeCode, expected] of [[0x107, "unavailable"], [7, { closeCode: 7, reason: "x" }]] as const) {
    await using side = serve();
    await session(side.client);
    side.client.close({ closeCode, reason: "x" });
    await settle();
    deepStrictEqual(side.closed, [expected]);
  }
});
