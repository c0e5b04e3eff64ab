/** What the provider needs from the process of a slot. */

/** The process of a slot; what runs inside is `SlotLoop`. */
export interface SlotProcess {
  /** What the slot has written, valid until the next read; null when it is gone. Never rejects. */
  read(): Promise<Uint8Array | null>;
  /** Resolves when the pipe has taken the bytes, and also when the slot is gone: `read` tells. */
  write(bytes: Uint8Array): Promise<void>;
  /** Ends the process at once, even in an endless loop; resolves when its CPU and memory are free. */
  kill(): Promise<void>;
  /** Resolves, with how it ended for the log, when the process is gone and reaped. */
  readonly exited: Promise<string>;
}
