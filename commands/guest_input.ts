/** The guest's standard input: nothing, a file, or our own. */

import type { ByteSource } from "../core/byte_stream.ts";
import { WasimoffError } from "../core/errors.ts";

/** Input of a regular file up to this size travels inside the request where it fits, which saves a stream. */
export const INLINE_INPUT_BYTES = 32 * 1024;

/** What is known at the start, and what follows. */
export interface GuestInput extends AsyncDisposable {
  readonly bytes: Uint8Array;
  /** null when `bytes` are all. */
  readonly stream: ByteSource | null;
}

/** Our own standard input, as `Deno.stdin` is. */
export interface OwnInput {
  readonly readable: ReadableStream<Uint8Array>;
  isTerminal(): boolean;
  /** Whether it comes from a regular file, so that reading never waits. */
  isRegular(): Promise<boolean>;
}

export const ownInput: OwnInput = {
  get readable() {
    return Deno.stdin.readable;
  },
  isTerminal: () => Deno.stdin.isTerminal(),
  async isRegular() {
    try {
      return (await Deno.stat("/dev/stdin")).isFile;
    } catch {
      // Not every system has the path; a stream is right for every kind of input.
      return false;
    }
  },
};

/**
 * Opens what `--stdin` names: `none`, `-` or a path; null forwards our own unless it is a terminal. A regular
 * file of up to `inlineBytes` is read at once.
 */
export async function openGuestInput(
  choice: string | null,
  own: OwnInput,
  inlineBytes: number,
): Promise<GuestInput> {
  if (choice === "none" || (choice === null && own.isTerminal())) return fixedInput(new Uint8Array());
  if (choice === null || choice === "-") {
    return await open(own.readable, await own.isRegular() ? inlineBytes : null);
  }
  try {
    const { isFile, isDirectory } = await Deno.stat(choice);
    if (isDirectory) throw new Error("it is a directory");
    return await open((await Deno.open(choice)).readable, isFile ? inlineBytes : null);
  } catch (error) {
    const missing = error instanceof Deno.errors.NotFound;
    const detail = missing ? "there is no such file" : WasimoffError.from(error).message;
    throw new WasimoffError(missing ? "not_found" : "unknown", `read input "${choice}": ${detail}`, {
      cause: error,
    });
  }
}

async function open(readable: ReadableStream<Uint8Array>, inlineBytes: number | null): Promise<GuestInput> {
  const source = new ReadableSource(readable);
  if (inlineBytes === null) return withStream(new Uint8Array(), source);
  const start: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  while (size <= inlineBytes) {
    const chunk = await source.read();
    if (chunk === null) return fixedInput(await joined(start));
    start.push(new Uint8Array(chunk));
    size += chunk.length;
  }
  // Too much for the request: everything goes by stream, what was read already first.
  source.unread(await joined(start));
  return withStream(new Uint8Array(), source);
}

/** A readable of the platform as a source. Cancelling releases it even while a read waits. */
class ReadableSource implements ByteSource {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #unread: Uint8Array | null = null;
  #cancelled: WasimoffError | null = null;

  constructor(readable: ReadableStream<Uint8Array>) {
    this.#reader = readable.getReader();
  }

  /** Puts bytes back in front. */
  unread(bytes: Uint8Array): void {
    this.#unread = bytes;
  }

  async read(): Promise<Uint8Array | null> {
    if (this.#cancelled !== null) throw this.#cancelled;
    const again = this.#unread;
    this.#unread = null;
    if (again !== null) return again;
    const { done, value } = await this.#reader.read();
    if (this.#cancelled !== null) throw this.#cancelled;
    return done ? null : value;
  }

  cancel(reason: WasimoffError): void {
    if (this.#cancelled !== null) return;
    this.#cancelled = reason;
    // Rejects only when the input has failed already, and then its reader has the error.
    this.#reader.cancel(reason).catch(() => {});
  }
}

/** Input that is here already. */
export function fixedInput(bytes: Uint8Array): GuestInput {
  return { bytes, stream: null, [Symbol.asyncDispose]: () => Promise.resolve() };
}

function withStream(bytes: Uint8Array, stream: ByteSource): GuestInput {
  return {
    bytes,
    stream,
    [Symbol.asyncDispose]: () => {
      stream.cancel(new WasimoffError("canceled", "the task has ended"));
      return Promise.resolve();
    },
  };
}

async function joined(chunks: Uint8Array<ArrayBuffer>[]): Promise<Uint8Array> {
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}
