/** A file store that forgets everything when its process ends. */

import { FileIndex } from "./file_index.ts";
import type { ByteRange, FileRef, FileStore, PutOptions, StartHash, StoredFile } from "./file_store.ts";
import { takeIn } from "./intake.ts";

export interface MemoryStoreOptions {
  readonly maxTotalBytes: number;
  readonly startHash: StartHash;
}

/** Size of the pieces in which a file is read. */
const READ_CHUNK_BYTES = 64 * 1024;

export class MemoryStore implements FileStore {
  readonly #startHash: StartHash;
  readonly #index: FileIndex;
  readonly #contents = new Map<FileRef, Uint8Array>();

  constructor({ maxTotalBytes, startHash }: MemoryStoreOptions) {
    this.#startHash = startHash;
    this.#index = new FileIndex(maxTotalBytes);
  }

  async put(body: AsyncIterable<Uint8Array>, options: PutOptions = {}): Promise<StoredFile> {
    const content = new GrowingBytes();
    const file = await takeIn(body, {
      index: this.#index,
      startHash: this.#startHash,
      evict: (files) => files.forEach(({ ref }) => this.#contents.delete(ref)),
      keep: (chunk) => content.append(chunk),
    }, options);
    this.#index.add(file);
    if (!this.#contents.has(file.ref)) this.#contents.set(file.ref, content.take());
    return file;
  }

  stat(ref: FileRef): Promise<StoredFile | null> {
    return Promise.resolve(this.#index.get(ref));
  }

  read(ref: FileRef, range?: ByteRange): Promise<ReadableStream<Uint8Array> | null> {
    const content = this.#use(ref);
    if (content === null) return Promise.resolve(null);
    let rest = range === undefined ? content : content.subarray(range.start, range.end);
    const stream = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (rest.length === 0) return controller.close();
        controller.enqueue(rest.subarray(0, READ_CHUNK_BYTES));
        rest = rest.subarray(READ_CHUNK_BYTES);
      },
    }, { highWaterMark: 0 });
    return Promise.resolve(stream);
  }

  /** The stored bytes themselves; the caller must not change them. */
  bytes(ref: FileRef): Promise<Uint8Array | null> {
    return Promise.resolve(this.#use(ref));
  }

  delete(ref: FileRef): Promise<boolean> {
    this.#contents.delete(ref);
    return Promise.resolve(this.#index.remove(ref));
  }

  list(): Promise<StoredFile[]> {
    return Promise.resolve(this.#index.list());
  }

  pin(ref: FileRef): () => void {
    return this.#index.pin(ref);
  }

  #use(ref: FileRef): Uint8Array | null {
    return this.#index.use(ref) && this.#contents.get(ref)!;
  }
}

/** First size of a buffer that doubles when it is full. */
const FIRST_BUFFER_BYTES = 64 * 1024;

/**
 * Copies pieces behind each other. A list of the pieces would keep whole receive buffers alive for a body that
 * a hostile client sends byte by byte.
 */
class GrowingBytes {
  #buffer = new Uint8Array(0);
  #length = 0;

  append(chunk: Uint8Array): void {
    const needed = this.#length + chunk.length;
    if (needed > this.#buffer.length) {
      const larger = new Uint8Array(Math.max(needed, this.#buffer.length * 2, FIRST_BUFFER_BYTES));
      larger.set(this.#buffer.subarray(0, this.#length));
      this.#buffer = larger;
    }
    this.#buffer.set(chunk, this.#length);
    this.#length = needed;
  }

  /** The bytes without the unused rest of the buffer. */
  take(): Uint8Array {
    return this.#buffer.slice(0, this.#length);
  }
}
