/** Receives the content of one file: hashes, sniffs and limits it while it arrives. */

import { WasimoffError } from "../errors.ts";
import type { FileIndex } from "./file_index.ts";
import type { FileRef, PutOptions, StartHash, StoredFile } from "./file_store.ts";
import { MediaSniffer } from "./media.ts";

export interface IntakeOptions {
  readonly index: FileIndex;
  readonly startHash: StartHash;
  /** Removes the content of files that had to leave the index. */
  evict(files: readonly StoredFile[]): void | Promise<void>;
  /** Keeps the next bytes; the view may change after it returns or resolves. */
  keep(chunk: Uint8Array): void | Promise<void>;
}

/**
 * Reads `body` to its end and returns what it was. The file's size stays reserved in the index: the caller adds
 * the file or releases the bytes. When it rejects, nothing is reserved any more.
 */
export async function takeIn(
  body: AsyncIterable<Uint8Array>,
  { index, startHash, evict, keep }: IntakeOptions,
  { maxBytes = Infinity, expectedRef, signal }: PutOptions,
): Promise<StoredFile> {
  const hash = startHash();
  const sniffer = new MediaSniffer();
  let size = 0;
  try {
    for await (const chunk of untilAborted(body, signal)) {
      if (size + chunk.length > maxBytes) {
        throw new WasimoffError("out_of_range", `file is too large: ${maxBytes} bytes are allowed`);
      }
      const victims = index.reserve(chunk.length);
      size += chunk.length;
      await evict(victims);
      hash.update(chunk);
      sniffer.update(chunk);
      await keep(chunk);
    }
    const ref: FileRef = `sha256:${hash.digest()}`;
    if (expectedRef !== undefined && ref !== expectedRef) {
      throw new WasimoffError("data_loss", `file has another hash than expected: "${ref}"`);
    }
    return { ref, media: sniffer.media, size };
  } catch (error) {
    index.release(size);
    throw error;
  }
}

/** The same chunks; a signal also ends the wait for the next one, which a hostile body may never give. */
async function* untilAborted(
  body: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const chunks = body[Symbol.asyncIterator]();
  let ended = false;
  try {
    for (;;) {
      const next = await nextChunk(chunks, signal);
      if (next.done) {
        ended = true;
        return;
      }
      yield next.value;
    }
  } finally {
    // Not awaited: a generator that hangs in next() would not return either.
    if (!ended) Promise.resolve(chunks.return?.()).catch(() => {});
  }
}

/** A promise of its own for each chunk: racing with one that lasts would keep every chunk alive until its end. */
function nextChunk(
  chunks: AsyncIterator<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<IteratorResult<Uint8Array>> {
  if (signal === undefined) return chunks.next();
  const { promise, resolve, reject } = Promise.withResolvers<IteratorResult<Uint8Array>>();
  const onAbort = () => reject(WasimoffError.from(signal.reason, "canceled"));
  if (signal.aborted) onAbort();
  else {
    signal.addEventListener("abort", onAbort, { once: true });
    chunks.next().then(resolve, reject);
  }
  return promise.finally(() => signal.removeEventListener("abort", onAbort));
}
