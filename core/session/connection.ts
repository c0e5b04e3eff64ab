/** What a session needs from whatever carries its frames; core/transport and core/host provide it. */

import type { Code, WasimoffError } from "../errors.ts";

export interface ConnectionHandler {
  onFrame(frame: Uint8Array): void;
  /** `buffered` has fallen below the low-water mark after it was above. */
  onDrain(): void;
  /** Once, whoever closed; nothing comes after it. */
  onClose(cause: WasimoffError): void;
}

/**
 * One live connection that carries whole frames in order. It may end at any time without saying how many of
 * the last frames arrived: the session replays them on the next connection.
 */
export interface Connection {
  /** Sends one frame of at most MAX_FRAME_BYTES. Never blocks and never throws. */
  send(frame: Uint8Array): void;
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
