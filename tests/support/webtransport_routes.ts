/** What WebTransport servers of tests do with sessions. */

import { joinChunks } from "../../core/join_chunks.ts";
import type { QuicBidirectionalStream, QuicReceiveStream } from "../../core/webtransport/quic_connection.ts";
import type { WebTransportRoute } from "../../core/webtransport/route.ts";
import type { WebTransportSession } from "../../core/webtransport/session.ts";

/** Sends back what comes on bidirectional streams until the session ends. */
export const echoRoute: WebTransportRoute = { handle: (session) => void serveEcho(session) };

async function serveEcho(session: WebTransportSession): Promise<void> {
  for await (const stream of session.incomingBidirectionalStreams) void echoStream(stream);
}

/** Sends back what comes on one stream; what the page aborts ends here without a word. */
export async function echoStream({ readable, writable }: QuicBidirectionalStream): Promise<void> {
  await readable.pipeTo(writable).catch(() => {});
}

/** All there is until the end, as text. */
export async function readText(readable: QuicReceiveStream): Promise<string> {
  const chunks = await Array.fromAsync(readable);
  return new TextDecoder().decode(joinChunks(chunks));
}

/** Writes a text and ends the stream. */
export async function sendText(writable: WritableStream<Uint8Array>, text: string): Promise<void> {
  const writer = writable.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
}

/** The next stream of a session. */
export async function first<T>(readable: ReadableStream<T>): Promise<T> {
  const reader = readable.getReader();
  try {
    const { value, done } = await reader.read();
    if (done) throw new Error("the stream has ended");
    return value;
  } finally {
    reader.releaseLock();
  }
}
