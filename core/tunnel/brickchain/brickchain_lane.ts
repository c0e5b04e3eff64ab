/** What the documents of one control connection are sent over. */

export interface BrickchainLane {
  /** Never blocks and never throws; dropped when the connection has ended. */
  send(frame: string): void;
  /** Much is still unsent: senders should wait for `drained`. */
  readonly full: boolean;
  drained(): Promise<void>;
  /** Milliseconds since 1970. */
  now(): number;
}
