/** The process or Worker around the inside of a slot. */

import type { GuestClock } from "../wasi/program.ts";

/** What a slot needs from the process or Worker it is alone in. */
export interface SlotHost {
  /** What the provider has sent, valid until the next read; null when the provider is gone. */
  read(): Promise<Uint8Array | null>;
  /** The same, blocking the thread, for times when nothing else is going on; left out where that is not possible. */
  readSync?(): Uint8Array | null;
  /**
   * Takes all bytes, which may be used again afterwards; throws when nobody will read them. A host that cannot
   * block until they are on their way returns a promise for when more may follow.
   */
  write(bytes: Uint8Array): void | Promise<void>;
  /** Lets the event loop turn once: what a finished guest has left behind is freed only then. */
  turn(): Promise<void>;
  /**
   * Memory of the process, after a guest with `guestBytes` of linear memory has ended. Where the runtime does not
   * tell: no less than what guests may have left behind.
   */
  rssBytes(guestBytes: number): number;
  /** Whether somebody ends the slot before a growing heap of the engine harms others. */
  readonly heapIsBounded: boolean;
  readonly clock: GuestClock;
  readonly random: (bytes: Uint8Array) => void;
}
