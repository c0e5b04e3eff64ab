/** What the provider needs from the process or Worker of a slot. */

/** What a process has used. */
export interface ProcessUsage {
  /** Of all its threads, since its start. */
  readonly cpuMs: number;
  readonly rssBytes: number;
}

/** The process of a slot, or its Worker; what runs inside is `SlotLoop`. */
export interface SlotProcess {
  /** What the slot has written, valid until the next read; null when it is gone. Never rejects. */
  read(): Promise<Uint8Array | null>;
  /**
   * Takes the bytes over: they must not be used afterwards. Resolves when the pipe has taken them, and also when the
   * slot is gone: `read` tells.
   */
  write(bytes: Uint8Array): Promise<void>;
  /**
   * Ends the process at once, even in an endless loop; resolves when its CPU and memory are free. A browser does not
   * tell that of a Worker, and takes up to 2 s for an endless loop.
   */
  kill(): Promise<void>;
  /** What it has used until now, null when it is gone; left out where the host cannot tell. */
  usage?(): ProcessUsage | null;
  /** Resolves, with how it ended (`signal SIGKILL`, `exit status 1`), when the process is gone and reaped. */
  readonly exited: Promise<string>;
  /** What it said at its end, for the log: a slot may have made that up. Left out where there is no such thing. */
  readonly lastWords?: Promise<string>;
}
