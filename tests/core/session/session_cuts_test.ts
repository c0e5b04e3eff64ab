import { deepEqual } from "node:assert/strict";
import fc from "fast-check";
import type { Session } from "../../../core/session/session.ts";
import type { MemoryPipe } from "../../../core/transport/memory.ts";
import { fakeClock, SessionPair } from "../../support/session_pair.ts";
import { settle } from "../../support/settle.ts";

const MESSAGES = 60;
const STREAMS = 3;
const MAX_STREAM_BYTES = 300_000;

/** What one side sends and what the other must have in the end. */
interface Traffic {
  readonly messages: readonly number[];
  readonly lengths: readonly number[];
}

const traffic = fc.record({
  messages: fc.array(fc.nat(2_000), { maxLength: MESSAGES }),
  lengths: fc.array(fc.nat(MAX_STREAM_BYTES), { minLength: STREAMS, maxLength: STREAMS }),
});

const at = (stream: number, offset: number) => (stream * 31 + offset * 7) % 251;

async function sendAll(session: Session, { messages, lengths }: Traffic): Promise<void> {
  const sends = lengths.map(async (length) => {
    const out = session.streams.openSend();
    for (let offset = 0; offset < length;) {
      const size = Math.min(length - offset, 1 + (offset * 17) % 90_000);
      await out.write(Uint8Array.from({ length: size }, (_, i) => at(out.id, offset + i)));
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
async function receiveAll(
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
    }
    return offset;
  });
  const got = await Promise.all(reads);
  await all.promise;
  return { messages: heard, lengths: got };
}

interface Break {
  readonly frames: number;
  readonly stalls: boolean;
}

/** Cuts or stalls a connection within the delivery of its frame of this number. */
function breakAfter({ frames, stalls }: Break, pipe: MemoryPipe): void {
  let left = frames;
  for (const connection of [pipe.a, pipe.b]) {
    const start = connection.start.bind(connection);
    connection.start = (handler) =>
      start({
        onFrame: (frame) => {
          handler.onFrame(frame);
          if (left-- > 0) return;
          if (stalls) pipe.stall(true);
          else pipe.cut();
        },
        onDrain: () => handler.onDrain(),
        onClose: (cause) => handler.onClose(cause),
      });
  }
}

Deno.test("whatever breaks and when, every message and every byte arrives once, complete and in order", async () => {
  using clock = fakeClock();
  const breaks = fc.array(fc.record({ frames: fc.nat(25), stalls: fc.boolean() }), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(traffic, traffic, breaks, async (up, down, breaks) => {
      using pair = new SessionPair(60_000);
      const { dialer, acceptor } = pair;
      for (const session of [dialer, acceptor]) {
        session.signal.addEventListener("abort", () => ended.push(session.signal.reason));
      }
      const ended: unknown[] = [];
      const [first, ...others] = breaks;
      if (first !== undefined) pair.connect((pipe) => breakAfter(first, pipe));
      const done = Promise.all([
        sendAll(dialer, up),
        sendAll(acceptor, down),
        receiveAll(acceptor, up, 2),
        receiveAll(dialer, down, 1),
      ]);
      for (const step of others) {
        await clock.tick(step.stalls ? 500 : 0);
        pair.connect((pipe) => breakAfter(step, pipe));
      }
      await settle();
      pair.connect();
      await clock.tick(4_000);
      deepEqual(ended, []);
      const [, , atAcceptor, atDialer] = await done;
      deepEqual(atAcceptor, { ...up });
      deepEqual(atDialer, { ...down });
      deepEqual([dialer.streams.size, acceptor.streams.size], [0, 0]);
    }),
    { numRuns: 12 },
  );
});
