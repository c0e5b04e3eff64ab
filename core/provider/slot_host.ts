/** The process around the inside of a slot. */

import type { GuestClock } from "../wasi/program.ts";

/** What a slot needs from the process it is alone in. */
export interface SlotHost {
  /** Fills a part of the buffer; null when the provider is gone. */
  read(buffer: Uint8Array): Promise<number | null>;
  /** The same, blocking the thread: for times when nothing else is going on. */
  readSync(buffer: Uint8Array): number | null;
  /** Returns when all bytes are in the pipe, however long that takes; throws when nobody will read them. */
  write(bytes: Uint8Array): void;
  /** Lets the event loop turn once: what a finished guest has left behind is freed only then. */
  turn(): Promise<void>;
  /** Memory of the process. */
  rssBytes(): number;
  readonly clock: GuestClock;
  readonly random: (bytes: Uint8Array) => void;
}
