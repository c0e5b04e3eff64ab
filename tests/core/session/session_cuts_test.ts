import { deepEqual } from "node:assert/strict";
import fc from "fast-check";
import { type Connection, MIN_FIRST_PIECE_BYTES } from "../../../core/session/connection.ts";
import { freeBuffer } from "../../../core/free_buffer.ts";
import type { MemoryPipe } from "../../../core/transport/memory.ts";
import { fakeClock, SessionPair } from "../../support/session_pair.ts";
import { receiveAll, sendAll, traffic } from "../../support/session_traffic.ts";
import { settle } from "../../support/settle.ts";

interface Break {
  readonly frames: number;
  readonly stalls: boolean;
  /** Frames come in two pieces. */
  readonly pieces: boolean;
}

/** Frees what has come on this connection as soon as nobody is said to need it. */
function freeReleased(connection: Connection): (bytes: Uint8Array) => Uint8Array {
  const needed = new Map<ArrayBufferLike, number>();
  connection.release = (buffer, bytes) => {
    const left = (needed.get(buffer) ?? NaN) - bytes;
    needed.set(buffer, left);
    if (left <= 0) freeBuffer(buffer);
  };
  return (bytes) => {
    needed.set(bytes.buffer, bytes.length);
    return bytes;
  };
}

/** Cuts or stalls a connection within the delivery of its frame of this number. */
function breakAfter({ frames, stalls, pieces }: Break, pipe: MemoryPipe): void {
  let left = frames;
  for (const connection of [pipe.a, pipe.b]) {
    const note = freeReleased(connection);
    const start = connection.start.bind(connection);
    connection.start = (handler) =>
      start({
        onFrame: (frame) => {
          const cut = MIN_FIRST_PIECE_BYTES + frame.length % 100;
          if (!pieces || frame.length <= cut) handler.onFrame(note(frame));
          else handler.onPieces!(note(frame.slice(0, cut)), note(frame.slice(cut)));
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
  const breaks = fc.array(fc.record({ frames: fc.nat(25), stalls: fc.boolean(), pieces: fc.boolean() }), {
    maxLength: 8,
  });
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
      pair.connect((pipe) => breakAfter({ frames: Infinity, stalls: false, pieces: true }, pipe));
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
