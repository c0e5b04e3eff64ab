/** A file store in a directory: files are streamed to disk, verified when they are read, and survive restarts. */

import { FileIndex } from "../storage/file_index.ts";
import type {
  ByteRange,
  FileRef,
  FileStore,
  PutOptions,
  StartHash,
  StoredFile,
} from "../storage/file_store.ts";
import { takeIn } from "../storage/intake.ts";
import { rotten, verifyStream } from "../storage/verified_stream.ts";
import { inDirectory } from "./directory_errors.ts";
import { DirectoryLayout, type FoundFile } from "./directory_layout.ts";
import { readFileRange } from "./file_stream.ts";

export interface DirectoryStoreOptions {
  readonly directory: string;
  readonly maxTotalBytes: number;
  readonly startHash: StartHash;
  /** Unix milliseconds; the time of a use is kept as the file's time of modification. */
  readonly now: () => number;
}

/** Uses that follow each other faster are not written down: the order after a restart may be off by this. */
const TOUCH_INTERVAL_MS = 60_000;

/** One process at a time may use a directory. Errors name the directory (see directory_errors.ts). */
export class DirectoryStore implements FileStore {
  readonly #layout: DirectoryLayout;
  readonly #startHash: StartHash;
  readonly #now: () => number;
  readonly #index: FileIndex;
  readonly #touchedAt = new Map<FileRef, number>();
  /** Renames and removals take turns, so that the late removal of an old file never hits its new copy. */
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(layout: DirectoryLayout, { maxTotalBytes, startHash, now }: DirectoryStoreOptions) {
    this.#layout = layout;
    this.#startHash = startHash;
    this.#now = now;
    this.#index = new FileIndex(maxTotalBytes);
  }

  /** Prepares the directory and indexes what it holds; `failed_precondition` when it cannot be used. */
  static open(options: DirectoryStoreOptions): Promise<DirectoryStore> {
    return inDirectory(options.directory, async () => {
      const layout = new DirectoryLayout(options.directory);
      await layout.prepare();
      const found: FoundFile[] = await Array.fromAsync(layout.scan());
      const store = new DirectoryStore(layout, options);
      for (const { file, usedAt } of found.sort((a, b) => a.usedAt - b.usedAt)) {
        store.#index.restore(file);
        store.#touchedAt.set(file.ref, usedAt);
      }
      return store;
    });
  }

  put(body: AsyncIterable<Uint8Array>, options: PutOptions = {}): Promise<StoredFile> {
    return inDirectory(this.#layout.root, async () => {
      const temporary = this.#layout.temporaryPath();
      const output = await Deno.open(temporary, { createNew: true, write: true, mode: 0o600 });
      try {
        return await this.#commit(temporary, await this.#receive(output, body, options));
      } finally {
        await removeIfPresent(temporary);
      }
    });
  }

  stat(ref: FileRef): Promise<StoredFile | null> {
    return Promise.resolve(this.#index.get(ref));
  }

  read(ref: FileRef, range?: ByteRange): Promise<ReadableStream<Uint8Array> | null> {
    return inDirectory(this.#layout.root, async () => {
      const input = await this.#use(ref, (path) => Deno.open(path));
      if (input === null) return null;
      const stream = readFileRange(input, range ?? { start: 0, end: Infinity });
      if (range !== undefined) return stream;
      const onRot = () => this.#discard([ref]);
      return stream.pipeThrough(verifyStream({ ref, startHash: this.#startHash, onRot }));
    });
  }

  bytes(ref: FileRef): Promise<Uint8Array | null> {
    return inDirectory(this.#layout.root, async () => {
      const content = await this.#use(ref, (path) => Deno.readFile(path));
      if (content === null) return null;
      const hash = this.#startHash();
      hash.update(content);
      if (`sha256:${hash.digest()}` === ref) return content;
      await this.#discard([ref]);
      throw rotten(ref);
    });
  }

  async delete(ref: FileRef): Promise<boolean> {
    if (this.#index.get(ref) === null) return false;
    await inDirectory(this.#layout.root, () => this.#discard([ref]));
    return true;
  }

  list(): Promise<StoredFile[]> {
    return Promise.resolve(this.#index.list());
  }

  pin(ref: FileRef): () => void {
    return this.#index.pin(ref);
  }

  async #receive(
    output: Deno.FsFile,
    body: AsyncIterable<Uint8Array>,
    options: PutOptions,
  ): Promise<StoredFile> {
    using _ = output;
    const file = await takeIn(body, {
      index: this.#index,
      startHash: this.#startHash,
      evict: (files) => this.#discard(files.map(({ ref }) => ref)),
      keep: (chunk) => writeAll(output, chunk),
    }, options);
    try {
      await output.syncData();
    } catch (error) {
      this.#index.release(file.size);
      throw error;
    }
    return file;
  }

  /** Makes a whole file visible; its reserved bytes go to the index or back. */
  #commit(temporary: string, file: StoredFile): Promise<StoredFile> {
    return this.#inTurn(async () => {
      try {
        if (this.#index.get(file.ref) === null) {
          const path = this.#layout.path(file.ref);
          await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
          await Deno.rename(temporary, path);
          this.#touchedAt.set(file.ref, this.#now());
        }
      } catch (error) {
        this.#index.release(file.size);
        throw error;
      }
      this.#index.add(file);
      return file;
    });
  }

  /** Opens a file for a use; null when it is unknown, or was removed behind our back. */
  async #use<T>(ref: FileRef, open: (path: string) => Promise<T>): Promise<T | null> {
    if (this.#index.use(ref) === null) return null;
    try {
      await this.#touch(ref);
      return await open(this.#layout.path(ref));
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      this.#index.remove(ref);
      return null;
    }
  }

  async #touch(ref: FileRef): Promise<void> {
    const now = this.#now();
    if (now - (this.#touchedAt.get(ref) ?? 0) < TOUCH_INTERVAL_MS) return;
    this.#touchedAt.set(ref, now);
    await Deno.utime(this.#layout.path(ref), now / 1000, now / 1000);
  }

  /** Removes files from index and disk; one that came back in between stays. */
  #discard(refs: readonly FileRef[]): Promise<void> {
    for (const ref of refs) this.#index.remove(ref);
    if (refs.length === 0) return Promise.resolve();
    return this.#inTurn(async () => {
      for (const ref of refs) {
        if (this.#index.get(ref) !== null) continue;
        this.#touchedAt.delete(ref);
        await removeIfPresent(this.#layout.path(ref));
      }
    });
  }

  #inTurn<T>(operation: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(operation);
    this.#turn = result.catch(() => {}); // its caller hears of it
    return result;
  }
}

async function writeAll(output: Deno.FsFile, chunk: Uint8Array): Promise<void> {
  for (let rest = chunk; rest.length > 0;) rest = rest.subarray(await output.write(rest));
}

async function removeIfPresent(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
