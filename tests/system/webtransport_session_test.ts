import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { createHash } from "node:crypto";
import { WasimoffError } from "../../core/errors.ts";
import { Messenger, type MessengerHandler } from "../../core/protocol/messenger.ts";
import type { Connection } from "../../core/session/connection.ts";
import type { ReceiveStream } from "../../core/session/receive_stream.ts";
import type { SendStream } from "../../core/session/send_stream.ts";
import type { Session } from "../../core/session/session.ts";
import { type Carrier, openClient, SessionServer } from "../support/session_server.ts";
import { within } from "../support/within.ts";

const DONE = new WasimoffError("canceled", "test is over");
const MIB = 1024 * 1024;
const CHUNK_BYTES = 100_000;
const handler: MessengerHandler = {
  request: () => Promise.resolve({ case: "announced", value: {} }),
  event: () => {},
};

/** Writes bytes that nobody can guess and returns their hash. */
async function send(out: SendStream, length: number): Promise<string> {
  const hash = createHash("sha256");
  for (let left = length; left > 0; left -= CHUNK_BYTES) {
    const chunk = new Uint8Array(Math.min(left, CHUNK_BYTES));
    crypto.getRandomValues(chunk.subarray(0, 1_000));
    hash.update(chunk);
    await out.write(chunk);
  }
  out.end();
  return hash.digest("hex");
}

async function receive(source: ReceiveStream, progress = (_: number) => {}): Promise<string> {
  const hash = createHash("sha256");
  for (let chunk = await source.read(); chunk !== null; chunk = await source.read()) {
    hash.update(chunk);
    progress(source.length);
  }
  return hash.digest("hex");
}

/** A session over a server's connections, with a messenger on both sides. */
async function joined(...carriers: Carrier[]) {
  const accepted = Promise.withResolvers<Session>();
  const server = await SessionServer.open(accepted.resolve);
  const { session, connections } = await openClient(server.address, ...carriers);
  const peer = await accepted.promise;
  new Messenger(peer, handler);
  const messenger = new Messenger(session, handler);
  const end = async () => {
    session.close(DONE);
    await server[Symbol.asyncDispose]();
  };
  return { server, session, peer, messenger, connections, [Symbol.asyncDispose]: end };
}

/** Cuts what carries a session now, so that it has to come back. */
function cut(connections: readonly Connection[]): void {
  connections.at(-1)!.close("unavailable", "test cuts");
}

Deno.test("requests are answered beside large transfers both ways on one session over QUIC, all complete", async () => {
  await using wire = await joined("webtransport");
  const { session, peer, messenger } = wire;
  const [up, down] = [session.streams.openSend(), peer.streams.openSend()];
  let transferring = true;
  const transfers = Promise.all([
    send(up, 64 * MIB),
    receive(peer.streams.acceptReceive(up.id)),
    send(down, 64 * MIB),
    receive(session.streams.acceptReceive(down.id)),
  ]).finally(() => transferring = false);
  let answers = 0;
  while (transferring) {
    strictEqual((await messenger.request({ case: "announce", value: {} })).case, "announced");
    answers++;
  }
  const [sentUp, gotUp, sentDown, gotDown] = await transfers;
  deepStrictEqual([gotUp, gotDown], [sentUp, sentDown]);
  ok(answers > 10, `${answers} answers`);
});

Deno.test("a transfer goes on from WebTransport to a WebSocket and back, whenever a connection breaks", async () => {
  await using wire = await joined("webtransport", "websocket", "webtransport", "websocket");
  const { session, peer, connections } = wire;
  const [up, down] = [session.streams.openSend(), peer.streams.openSend()];
  let cuts = 0;
  const cutAt = [5 * MIB, 15 * MIB, 30 * MIB];
  const progress = (bytes: number) => {
    if (bytes < (cutAt[cuts] ?? Infinity) || !session.connected) return;
    cuts++;
    cut(connections);
  };
  const [sentUp, gotUp, sentDown, gotDown] = await within(
    Promise.all([
      send(up, 48 * MIB),
      receive(peer.streams.acceptReceive(up.id)),
      send(down, 48 * MIB),
      receive(session.streams.acceptReceive(down.id), progress),
    ]),
    "all transfers",
  );
  deepStrictEqual([gotUp, gotDown, cuts, connections.length], [sentUp, sentDown, 3, 4]);
});

Deno.test("a transfer survives the loss of QUIC under it", async () => {
  await using wire = await joined("webtransport", "websocket");
  const { server, session, peer, connections } = wire;
  const down = peer.streams.openSend();
  let stopped: Promise<void> | undefined;
  const [sent, got] = await within(
    Promise.all([
      send(down, 32 * MIB),
      receive(session.streams.acceptReceive(down.id), (bytes) => {
        if (bytes > 8 * MIB) stopped ??= server.stopQuic();
      }),
    ]),
    "the transfer",
  );
  await stopped;
  deepStrictEqual([got, connections.length], [sent, 2]);
});

Deno.test("100 large streams at a time share one connection, more than there are lanes", async () => {
  await using wire = await joined("webtransport");
  const { session, peer } = wire;
  const streams = Array.from({ length: 100 }, () => session.streams.openSend());
  const sent = streams.map((out) => send(out, 300_000));
  const got = streams.map(({ id }) => receive(peer.streams.acceptReceive(id)));
  deepStrictEqual(await within(Promise.all(got), "all streams"), await Promise.all(sent));
});

Deno.test("a goodbye right behind a large stream comes after it", async () => {
  await using wire = await joined("webtransport");
  const { session, peer } = wire;
  const out = session.streams.openSend();
  const got = receive(peer.streams.acceptReceive(out.id));
  const left = new Promise((resolve) => peer.signal.addEventListener("abort", resolve, { once: true }));
  const sent = await send(out, 8 * MIB);
  while (session.streams.sending > 0) await new Promise((resolve) => setTimeout(resolve, 0));
  session.close(new WasimoffError("canceled", "have all"));
  strictEqual(await within(got, "the stream"), sent);
  await within(left, "the goodbye");
  strictEqual(peer.signal.reason.message, "have all");
});
