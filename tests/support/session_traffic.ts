/** Messages and streams between two sessions, and whether they came complete. */

import fc from "fast-check";
import type { Session } from "../../core/session/session.ts";

const MESSAGES = 60;
const STREAMS = 3;
const MAX_STREAM_BYTES = 300_000;

/** What is in memory that nobody needs any more; no byte of a stream is this. */
export const NOBODYS = 255;

/** What one side sends and what the other must have in the end. */
export interface Traffic {
  readonly messages: readonly number[];
  readonly lengths: readonly number[];
}

/** Any such thing. */
export const traffic = fc.record({
  messages: fc.array(fc.nat(2_000), { maxLength: MESSAGES }),
  lengths: fc.array(fc.nat(MAX_STREAM_BYTES), { minLength: STREAMS, maxLength: STREAMS }),
});

const at = (stream: number, offset: number) => (stream * 31 + offset * 7) % 251;

/** Resolves when all was handed over. */
export async function sendAll(session: Session, { messages, lengths }: Traffic): Promise<void> {
  const sends = lengths.map(async (length) => {
    const out = session.streams.openSend();
    for (let offset = 0; offset < length;) {
      const size = Math.min(length - offset, 1 + (offset * 17) % 90_000);
      const chunk = Uint8Array.from({ length: size }, (_, i) => at(out.id, offset + i));
      await out.write(chunk, () => chunk.fill(NOBODYS));
      offset += size;
    }
    out.end();
  });
  for (const [number, size] of messages.entries()) {
    const body = new Uint8Array(4 + size).fill(number);
    new DataView(body.buffer).setUint32(0, number);
    session.send(body);
    await null;
  }
  await Promise.all(sends);
}

/** Everything of the peer: message numbers in order of arrival with their sizes, and bytes per stream. */
export async function receiveAll(
  session: Session,
  { messages, lengths }: Traffic,
  firstId: number,
): Promise<Traffic> {
  const heard: number[] = [];
  const all = Promise.withResolvers<void>();
  const check = () => heard.length >= messages.length && all.resolve();
  session.receiveMessages((body) => {
    const number = new DataView(body.buffer, body.byteOffset).getUint32(0);
    heard.push(number === heard.length ? body.length - 4 : -1);
    check();
  });
  check();
  const reads = lengths.map(async (_, index) => {
    const source = session.streams.acceptReceive(firstId + 2 * index);
    let offset = 0;
    for (let chunk = await source.read(); chunk !== null; chunk = await source.read()) {
      for (const byte of chunk) if (byte !== at(source.id, offset++)) return -1;
      source.release(chunk);
    }
    return offset;
  });
  const got = await Promise.all(reads);
  await all.promise;
  return { messages: heard, lengths: got };
}
