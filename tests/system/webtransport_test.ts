/** Our WebTransport client against our server over real QUIC: all that a session can do. */

import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import type { WebTransportRoute } from "../../core/webtransport/route.ts";
import type { WebTransportSession } from "../../core/webtransport/session.ts";
import { openWebTransportPair } from "../support/webtransport_pair.ts";
import { within } from "../support/within.ts";

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const bytes = (words: string) => new TextEncoder().encode(words);

async function readAll(stream: ReadableStream<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks.map(text).join("");
}

/** Sends each stream back, unidirectional ones by one of its own, and datagrams, too. */
const echo: WebTransportRoute = {
  protocols: ["second", "third"],
  async handle(session) {
    const bidirectional = async () => {
      for await (const { readable, writable } of session.incomingBidirectionalStreams) {
        void readable.pipeTo(writable).catch(() => {});
      }
    };
    const unidirectional = async () => {
      for await (const readable of session.incomingUnidirectionalStreams) {
        const back = await session.createUnidirectionalStream({ waitUntilAvailable: true });
        void readable.pipeTo(back).catch(() => {});
      }
    };
    const datagrams = session.datagrams.readable.pipeTo(session.datagrams.writable);
    await Promise.allSettled([bidirectional(), unidirectional(), datagrams]);
  },
};

async function echoOnce(session: WebTransportSession, words: string): Promise<string> {
  const { readable, writable } = await session.createBidirectionalStream({ waitUntilAvailable: true });
  const writer = writable.getWriter();
  await writer.write(bytes(words));
  await writer.close();
  return await readAll(readable);
}

Deno.test("a bidirectional stream carries bytes both ways to its end", async () => {
  await using pair = await openWebTransportPair({ "/echo": echo });
  const session = await pair.dial("/echo");
  strictEqual(await within(echoOnce(session, "hello"), "echo"), "hello");
  deepStrictEqual(pair.errors, []);
});
