/** The guest's output onto ours, byte for byte. */

import type { ByteSink } from "../core/byte_stream.ts";
import { WasimoffError } from "../core/errors.ts";
import { type RawWriter, writeAll } from "./stdout.ts";

/** Where a task's output goes. */
export interface GuestOutput {
  readonly stdout: ByteSink;
  readonly stderr: ByteSink;
}

export interface OutputOptions {
  readonly stdout: RawWriter;
  readonly stderr: RawWriter;
  /** Told once when the reader of the output has gone: then nobody wants the task any more. */
  readonly onClosed: (reason: WasimoffError) => void;
}

/** Passes on what the guest writes, live; a write is done when the system has taken all of it. */
export function plainOutput({ stdout, stderr, onClosed }: OutputOptions): GuestOutput {
  return { stdout: new WriterSink(stdout, onClosed), stderr: new WriterSink(stderr, onClosed) };
}

/** A writer of the platform as a sink. It stays open: it is not ours. */
class WriterSink implements ByteSink {
  readonly #writer: RawWriter;
  readonly #onClosed: (reason: WasimoffError) => void;

  constructor(writer: RawWriter, onClosed: (reason: WasimoffError) => void) {
    this.#writer = writer;
    this.#onClosed = onClosed;
  }

  async write(chunk: Uint8Array): Promise<void> {
    try {
      await writeAll(this.#writer, chunk);
    } catch (error) {
      const reason = WasimoffError.from(error);
      this.#onClosed(reason);
      throw reason;
    }
  }

  end(): void {}

  abort(): void {}
}
