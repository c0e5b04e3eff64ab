/** Whole messages over real WebSockets, from peers that keep to the rules and from others. */

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import type { WasimoffError } from "../../core/errors.ts";
import { FULL_BYTES, MAX_MESSAGE_BYTES, type WebSocketMessages } from "../../core/host/websocket_messages.ts";
import { SUBPROTOCOL_V1_BINARY, SUBPROTOCOL_V1_JSON } from "../../core/protocol/envelope_v1.ts";
import { netTest, type TestNet } from "../support/open_server.ts";
import {
  BINARY,
  BINARY_BEGIN,
  closeCodeOf,
  CONTINUATION,
  TEXT,
  upgradeByHand,
  webSocketFrame,
} from "../support/raw_websocket.ts";
import { within } from "../support/within.ts";

const encoder = new TextEncoder();

interface Accepted {
  readonly pipe: WebSocketMessages;
  readonly encoding: string;
  readonly protocol: string | null;
}

async function serve(net: TestNet) {
  const accepted = Promise.withResolvers<Accepted>();
  const server = await net.serve({
    fetch: () => new Response(null, { status: 404 }),
    webSocketRoutes: {
      "/ws": {
        protocols: ["wasimoff_v2", SUBPROTOCOL_V1_BINARY, SUBPROTOCOL_V1_JSON],
        authorize: () => {},
        accept: () => {},
        acceptV1: (pipe, { encoding, protocol }) => accepted.resolve({ pipe, encoding, protocol }),
      },
    },
  });
  return {
    port: server.address.port,
    accepted: accepted.promise,
    [Symbol.asyncDispose]: () => server.close(),
  };
}

/** Starts a pipe; resolves each message in its order, and its end. */
function record(pipe: WebSocketMessages) {
  const messages: (Uint8Array | string)[] = [];
  const ended = Promise.withResolvers<WasimoffError>();
  let wake = Promise.withResolvers<void>();
  pipe.start({
    onMessage: (message) => {
      messages.push(message);
      wake.resolve();
      wake = Promise.withResolvers();
    },
    onClose: ended.resolve,
  });
  const received = async (count: number) => {
    while (messages.length < count) await within(wake.promise, `message ${count}`);
  };
  return { messages, received, ended: ended.promise };
}

const open = (port: number, protocols: string) =>
  upgradeByHand(port, "/ws", { "Sec-WebSocket-Protocol": protocols });

netTest("binary is chosen before JSON, and wasimoff_v2 before both, whatever the order", async (net) => {
  await using ws = await serve(net);
  const { socket, status } = await open(ws.port, `${SUBPROTOCOL_V1_JSON}, ${SUBPROTOCOL_V1_BINARY}`);
  using _socket = socket;
  match(status, /101/);
  const { encoding, protocol, pipe } = await ws.accepted;
  deepStrictEqual([encoding, protocol], ["binary", SUBPROTOCOL_V1_BINARY]);
  const recorder = record(pipe);
  socket.close();
  strictEqual((await recorder.ended).code, "unavailable");
});

netTest("messages come whole, in pieces or not, as text or bytes, those before start() too", async (net) => {
  await using ws = await serve(net);
  const { socket } = await open(ws.port, SUBPROTOCOL_V1_JSON);
  await socket.write(webSocketFrame(TEXT, encoder.encode("grüße")));
  const { pipe, encoding } = await ws.accepted;
  strictEqual(encoding, "json");
  const recorder = record(pipe);
  await socket.write(webSocketFrame(BINARY_BEGIN, Uint8Array.of(1, 2)));
  await socket.write(webSocketFrame(CONTINUATION, Uint8Array.of(3)));
  await socket.write(webSocketFrame(0x80, Uint8Array.of(4)));
  await recorder.received(2);
  strictEqual(recorder.messages[0], "grüße");
  deepStrictEqual([...recorder.messages[1] as Uint8Array], [1, 2, 3, 4]);
  pipe.close(1011, "x".repeat(200));
  strictEqual(await closeCodeOf(socket), 1011);
  strictEqual((await recorder.ended).message, "x".repeat(200));
  socket.close();
});

netTest("a message that announces too much is refused before it comes", async (net) => {
  await using ws = await serve(net);
  const { socket } = await open(ws.port, SUBPROTOCOL_V1_BINARY);
  const recorder = record((await ws.accepted).pipe);
  await socket.write(webSocketFrame(BINARY, new Uint8Array(10), MAX_MESSAGE_BYTES + 1));
  strictEqual(await closeCodeOf(socket), 1009);
  strictEqual((await recorder.ended).code, "out_of_range");
  socket.close();
});

netTest("endless pieces of a message end their connection", async (net) => {
  await using ws = await serve(net);
  const { socket } = await open(ws.port, SUBPROTOCOL_V1_BINARY);
  const recorder = record((await ws.accepted).pipe);
  await socket.write(webSocketFrame(BINARY_BEGIN, Uint8Array.of(1)));
  const piece = webSocketFrame(CONTINUATION, Uint8Array.of(1));
  const pieces = new Uint8Array(piece.length * 1_000);
  for (let i = 0; i < 1_000; i++) pieces.set(piece, i * piece.length);
  for (let i = 0; i < 20; i++) await socket.write(pieces).catch(() => {});
  strictEqual((await within(recorder.ended, "the end")).code, "invalid_argument");
  strictEqual(recorder.messages.length, 0);
  socket.close();
});

netTest("a peer that reads nothing is dropped, and nobody waits for it any more", async (net) => {
  await using ws = await serve(net);
  const { socket } = await open(ws.port, SUBPROTOCOL_V1_BINARY);
  const { pipe } = await ws.accepted;
  const recorder = record(pipe);
  const large = new Uint8Array(16 * 1024 * 1024);
  pipe.send(large);
  ok(pipe.full);
  let released = false;
  const drained = pipe.drained().then(() => released = true);
  for (let i = 0; i < 10; i++) pipe.send(large);
  const cause = await within(recorder.ended, "the end");
  deepStrictEqual([cause.code, cause.message], ["resource_exhausted", "peer does not read what it is sent"]);
  await drained;
  ok(released);
  socket.close();
});

netTest("drained() waits for a slow reader", async (net) => {
  await using ws = await serve(net);
  const { socket } = await open(ws.port, SUBPROTOCOL_V1_BINARY);
  const { pipe } = await ws.accepted;
  const recorder = record(pipe);
  await pipe.drained();
  pipe.send(new Uint8Array(20 * FULL_BYTES));
  const drained = pipe.drained();
  let read = 0;
  for (const buffer = new Uint8Array(65_536); read < 20 * FULL_BYTES;) read += await socket.read(buffer) ?? 0;
  await within(drained, "room");
  strictEqual(pipe.full, false);
  socket.close();
  await recorder.ended;
});
