/** The provider's files: from memory, from its store, or fetched from the broker, each at most once at a time. */

import { WasimoffError } from "../errors.ts";
import { joinChunks } from "../join_chunks.ts";
import { unlessAborted } from "../unless_aborted.ts";
import type { FileRef, FileStore } from "../storage/file_store.ts";
import { LruCache } from "./lru_cache.ts";
import { MAX_FILE_BYTES } from "./slot_intake.ts";

/** The content of a file as it arrives; rejects with `not_found` when nobody has it. */
export type FetchFile = (ref: FileRef, signal: AbortSignal) => Promise<AsyncIterable<Uint8Array>>;

export interface FileCacheOptions {
  readonly store: FileStore;
  readonly fetchFile: FetchFile;
}

/** Recent files, so that starting a slot with a known module needs no disk. */
const MEMORY = { maxEntries: 256, maxBytes: 64 * 1024 * 1024 };

/** A file on its way, and how many wait for it. */
interface Flight {
  readonly bytes: Promise<Uint8Array>;
  readonly abort: AbortController;
  waiting: number;
}

export class FileCache {
  readonly #options: FileCacheOptions;
  readonly #recent = new LruCache<Uint8Array>(MEMORY);
  readonly #flights = new Map<FileRef, Flight>();

  constructor(options: FileCacheOptions) {
    this.#options = options;
  }

  /**
   * The verified content, which must not be changed. Rejects with `not_found`, with `data_loss` when what was
   * fetched has another hash, with `out_of_range` when it is too large for a slot, or with the signal's reason; a
   * fetch goes on as long as anybody waits for it.
   */
  async get(ref: FileRef, signal: AbortSignal): Promise<Uint8Array> {
    signal.throwIfAborted();
    const recent = this.#recent.get(ref);
    if (recent !== undefined) return recent;
    const flight = this.#flights.get(ref) ?? this.#take(ref);
    flight.waiting += 1;
    try {
      return await unlessAborted(flight.bytes, signal);
    } finally {
      flight.waiting -= 1;
      if (flight.waiting === 0) {
        flight.abort.abort(signal.reason);
        if (this.#flights.get(ref) === flight) this.#flights.delete(ref);
      }
    }
  }

  #take(ref: FileRef): Flight {
    const abort = new AbortController();
    const bytes = this.#load(ref, abort.signal);
    bytes.catch(() => {}); // everybody who waited may have left
    const flight = { bytes, abort, waiting: 0 };
    this.#flights.set(ref, flight);
    return flight;
  }

  async #load(ref: FileRef, signal: AbortSignal): Promise<Uint8Array> {
    const bytes = await this.#stored(ref) ?? await this.#fetch(ref, signal);
    this.#recent.set(ref, bytes, bytes.length);
    return bytes;
  }

  async #stored(ref: FileRef): Promise<Uint8Array | null> {
    const { store } = this.#options;
    try {
      return await store.bytes(ref);
    } catch (error) {
      if (WasimoffError.from(error).code !== "data_loss") throw error;
      await store.delete(ref); // it has rotted: the broker has it whole
      return null;
    }
  }

  async #fetch(ref: FileRef, signal: AbortSignal): Promise<Uint8Array> {
    const { store, fetchFile } = this.#options;
    const body = await fetchFile(ref, signal);
    const chunks: Uint8Array[] = [];
    await store.put(collect(body, chunks), {
      maxBytes: MAX_FILE_BYTES,
      expectedRef: ref,
      signal,
    });
    return joinChunks(chunks);
  }
}

/** Passes a body on and keeps it, so that it need not be read back. */
async function* collect(body: AsyncIterable<Uint8Array>, into: Uint8Array[]): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > MAX_FILE_BYTES) {
      throw new WasimoffError("out_of_range", `file has more than ${MAX_FILE_BYTES} bytes`);
    }
    into.push(chunk);
    yield chunk;
  }
}
