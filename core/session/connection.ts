/** What a session needs from whatever carries its frames; core/transport and core/host provide it. */

import type { Code, WasimoffError } from "../errors.ts";

/** Of a frame in two pieces: enough for what is before a body. */
export const MIN_FIRST_PIECE_BYTES = 64;

export interface ConnectionHandler {
  /** A frame, with its number where the connection has lanes. */
  onFrame(frame: Uint8Array, number?: number): void;
  /**
   * A frame that came in two pieces, the first of which has MIN_FIRST_PIECE_BYTES; a handler without this gets it as one.
   * Not where the connection has lanes.
   */
  onPieces?(first: Uint8Array, rest: Uint8Array): void;
  /** A frame that came on a lane; a handler without this leaves the lanes unread. */
  onLaneFrame?(frame: Uint8Array, number: number): void;
  /** What waited in the socket, or in a lane, has fallen below the low-water mark after it was above. */
  onDrain(): void;
  /** Once, whoever closed; nothing comes after it. */
  onClose(cause: WasimoffError): void;
}

/**
 * Further paths of a connection, one for each large byte stream, whose frames overtake those of the others.
 * Every sequenced frame therefore travels with its number, counted from 1; others have the number 0. A lane
 * that breaks ends the connection.
 */
export interface Lanes {
  /** Whether this stream has a lane; opens one where there is room for another. */
  open(stream: number): boolean;
  /** Whether its lane should be given more; true for a stream without one. */
  hasRoom(stream: number): boolean;
  /** As `Connection.send`, on the lane of a stream that has one. */
  send(stream: number, frame: Uint8Array, number: number): void;
  /** Nothing more comes for this stream; what was sent still arrives. */
  close(stream: number): void;
}

/**
 * One live connection that carries whole frames in order. It may end at any time without saying how many of
 * the last frames arrived: the session replays them on the next connection.
 */
export interface Connection {
  /** Where large byte streams need not wait for each other, nor anything for them. */
  readonly lanes?: Lanes;
  /**
   * Sends one frame of at most MAX_FRAME_BYTES, with a `body` that stands apart behind what is in `frame`. Both may be
   * kept. Never blocks and never throws. The number is for `lanes`.
   */
  send(frame: Uint8Array, number?: number, body?: Uint8Array): void;
  /** Nobody needs so many bytes of a frame in this buffer any more, each of which is told at most once. */
  release?(buffer: ArrayBufferLike, bytes: number): void;
  /** Bytes that wait in the socket. */
  readonly buffered: number;
  /**
   * Begins delivery; frames that came earlier are held. Called again, hands over to another handler: the hello
   * is read by one and the session by the next, within one call of `onFrame`.
   */
  start(handler: ConnectionHandler): void;
  /** Closes with a reason for the peer; a reason may be cut to what the transport carries. */
  close(code: Code, reason: string): void;
}
