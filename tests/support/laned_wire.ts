/** A session on a connection with lanes, before a peer that is the test. */

import { type Code, WasimoffError } from "../../core/errors.ts";
import type { Connection, ConnectionHandler, Lanes } from "../../core/session/connection.ts";
import { decodeFrame, encodeFrame, type Frame, FRAME_DATA } from "../../core/session/frame.ts";
import { joinChunks } from "../../core/join_chunks.ts";
import { Session } from "../../core/session/session.ts";

const DONE = new WasimoffError("canceled", "test is over");

/** A connection with lanes whose peer is the test: what was sent where, and a way to say anything. */
export class LanedWire implements Connection {
  buffered = 0;
  closedWith: Code | null = null;
  readonly sent: { frame: Frame; number: number; lane: number }[] = [];
  readonly openLanes = new Set<number>();
  maxLanes = 64;
  laneHasRoom = true;
  handler!: ConnectionHandler;
  readonly lanes: Lanes = {
    open: (stream) => {
      if (this.openLanes.size < this.maxLanes) this.openLanes.add(stream);
      return this.openLanes.has(stream);
    },
    hasRoom: () => this.laneHasRoom,
    send: (lane, frame, number) => void this.sent.push({ frame: decodeFrame(frame), number, lane }),
    close: (stream) => void this.openLanes.delete(stream),
  };

  start(handler: ConnectionHandler): void {
    this.handler = handler;
  }

  send(frame: Uint8Array, number?: number, body = new Uint8Array(0)): void {
    this.sent.push({ frame: decodeFrame(joinChunks([frame, body])), number: number!, lane: 0 });
  }

  close(code: Code): void {
    this.closedWith = code;
  }

  /** Frames of the peer on the first stream, or on a lane. */
  hear(number: number, frame: Frame, onLane = false): void {
    if (onLane) this.handler.onLaneFrame!(encodeFrame(frame), number);
    else this.handler.onFrame(encodeFrame(frame), number);
  }

  of<T extends Frame["type"]>(type: T): Extract<Frame, { type: T }>[] {
    return this.sent.map(({ frame }) => frame).filter((frame) => frame.type === type) as never;
  }
}

/** A session on such a connection. */
export function onLanes() {
  const wire = new LanedWire();
  const session = new Session({ side: "acceptor", leaseMs: 10_000 });
  session.attach(wire, 0);
  session.receiveMessages(() => {});
  const end = () => {
    session.close(DONE);
    wire.handler.onClose(DONE);
  };
  return { wire, session, [Symbol.dispose]: end };
}

/** DATA with bytes that tell their offset. */
export const data = (stream: number, offset: number, length: number): Frame => ({
  type: FRAME_DATA,
  stream,
  offset,
  body: Uint8Array.from({ length }, (_, i) => (offset + i) % 251),
});
