/** A regular file: chunks that are shared with the tree it was forked from until they are written. */

import { ERRNO, FILETYPE } from "./abi.ts";
import { fail, WasiFault } from "./fault.ts";
import { Inode } from "./inode.ts";
import type { Volume } from "./volume.ts";

/** Unit of storage and of copy-on-write: large enough that a call touches one or two. */
const CHUNK_BYTES = 256 * 1024;
/** First allocation of a file; it doubles until a whole chunk is reached. */
const FIRST_CHUNK_BYTES = 512;
/** Largest size of a file: the list of chunks stays at 32,768 even for a file that is one hole. */
const FILE_MAX_BYTES = 8 * 1024 ** 3;

/** Bytes beyond the end of a chunk, and chunks that are missing, are zeros: files may be sparse. */
export class File extends Inode {
  readonly filetype = FILETYPE.REGULAR_FILE;
  #size = 0;
  #chunks: (Uint8Array | undefined)[] = [];
  /** Which chunks belong to this file alone; null when the list itself is shared. */
  #owned: boolean[] | null = [];
  #ownedBytes = 0;
  #opens = 0;

  /** A file with `contents`, which are shared, not copied: nobody may change them afterwards. */
  static of(volume: Volume, now: bigint, contents: Uint8Array): File {
    const file = new File(volume, now);
    for (let at = 0; at < contents.length; at += CHUNK_BYTES) {
      file.#chunks.push(contents.subarray(at, at + CHUNK_BYTES));
    }
    file.#size = contents.length;
    file.#owned = null;
    return file;
  }

  override get size(): number {
    return this.#size;
  }

  override fork(volume: Volume): File {
    const copy = new File(volume, this.mtim, this);
    copy.#chunks = this.#chunks;
    copy.#size = this.#size;
    copy.#owned = null;
    this.#owned = null;
    return copy;
  }

  /** Copies bytes from `offset` on; returns how many there were. */
  read(offset: number, into: Uint8Array): number {
    const count = Math.max(0, Math.min(into.length, this.#size - offset));
    let done = 0;
    while (done < count) {
      const chunk = this.#chunks[Math.floor((offset + done) / CHUNK_BYTES)];
      const start = (offset + done) % CHUNK_BYTES;
      const wanted = Math.min(CHUNK_BYTES - start, count - done);
      const stored = chunk === undefined ? 0 : Math.max(0, Math.min(wanted, chunk.length - start));
      if (stored > 0) into.set(chunk!.subarray(start, start + stored), done);
      if (stored < wanted) into.fill(0, done + stored, done + wanted);
      done += wanted;
    }
    return count;
  }

  /** Returns how many bytes there was room for. No room at all is EFBIG for the file and ENOSPC for the volume. */
  write(offset: number, data: Uint8Array): number {
    if (data.length > 0 && offset >= FILE_MAX_BYTES) fail(ERRNO.FBIG);
    const total = Math.min(data.length, FILE_MAX_BYTES - offset);
    let done = 0;
    try {
      while (done < total) {
        const start = (offset + done) % CHUNK_BYTES;
        const count = Math.min(CHUNK_BYTES - start, total - done);
        const chunk = this.#writable(Math.floor((offset + done) / CHUNK_BYTES), start + count);
        chunk.set(count === data.length ? data : data.subarray(done, done + count), start);
        done += count;
      }
    } catch (error) {
      if (done === 0 || !(error instanceof WasiFault)) throw error;
    }
    if (done > 0 && offset + done > this.#size) this.#size = offset + done;
    return done;
  }

  /**
   * Takes the storage for a range, all or nothing, so that writing there cannot run out of space; extends the file
   * to its end.
   */
  allocate(offset: number, length: number): void {
    const end = offset + length;
    if (end > FILE_MAX_BYTES) fail(ERRNO.FBIG);
    const first = Math.floor(offset / CHUNK_BYTES);
    const needed = (index: number) => Math.min(CHUNK_BYTES, end - index * CHUNK_BYTES);
    let missing = 0;
    for (let index = first; index * CHUNK_BYTES < end; index++) {
      missing += this.#missing(index, needed(index));
    }
    // Only asked for: the chunks claim it one by one.
    this.volume.claimBytes(missing);
    this.volume.claimBytes(-missing);
    for (let index = first; index * CHUNK_BYTES < end; index++) this.#writable(index, needed(index));
    this.#size = Math.max(this.#size, end);
  }

  /** Cuts the file or extends it by a hole. */
  resize(size: number): void {
    if (size > FILE_MAX_BYTES) fail(ERRNO.FBIG);
    if (size < this.#size) {
      const owned = this.#ownList();
      const kept = Math.ceil(size / CHUNK_BYTES);
      for (let index = kept; index < this.#chunks.length; index++) {
        if (owned[index] === true) this.#claim(-this.#chunks[index]!.length);
      }
      this.#chunks.length = Math.min(this.#chunks.length, kept);
      owned.length = Math.min(owned.length, kept);
      this.#zeroTail(kept - 1, size % CHUNK_BYTES, owned);
    }
    this.#size = size;
  }

  /** All bytes: a view where the file is stored in one piece, else a copy. Not to be changed. */
  contents(): Uint8Array {
    const only = this.#chunks[0];
    if (only !== undefined && this.#size <= only.length) return only.subarray(0, this.#size);
    const all = new Uint8Array(this.#size);
    this.read(0, all);
    return all;
  }

  opened(): void {
    this.#opens += 1;
  }

  /** The storage of a removed file stays until the last descriptor is closed. */
  closed(): void {
    this.#opens -= 1;
    if (this.nlink === 0) this.unlinked();
  }

  override unlinked(): void {
    if (this.#opens === 0) this.resize(0);
  }

  /** Bytes that a chunk of at least `needed` takes beyond what it has taken. */
  #missing(index: number, needed: number): number {
    const length = this.#chunks[index]?.length ?? 0;
    const mine = this.#owned?.[index] === true;
    return Math.max(needed, length) - (mine ? length : 0);
  }

  /** After a cut inside a chunk its rest must read as zeros, should the file grow again. */
  #zeroTail(index: number, start: number, owned: boolean[]): void {
    const chunk = this.#chunks[index];
    if (chunk === undefined || start === 0 || start >= chunk.length) return;
    if (owned[index] === true) chunk.fill(0, start);
    else this.#chunks[index] = chunk.subarray(0, start);
  }

  #writable(index: number, needed: number): Uint8Array {
    const owned = this.#ownList();
    const chunk = this.#chunks[index];
    const mine = owned[index] === true;
    if (chunk !== undefined && mine && chunk.length >= needed) return chunk;
    const length = chunk?.length ?? 0;
    const wanted = index > 0 ? CHUNK_BYTES : Math.max(needed, mine ? length * 2 : length, FIRST_CHUNK_BYTES);
    const capacity = this.#claimChunk(
      Math.min(CHUNK_BYTES, wanted),
      Math.max(needed, length),
      mine ? length : 0,
    );
    const next = new Uint8Array(capacity);
    if (chunk !== undefined) next.set(chunk);
    this.#chunks[index] = next;
    owned[index] = true;
    return next;
  }

  #ownList(): boolean[] {
    if (this.#owned === null) {
      this.#chunks = this.#chunks.slice();
      this.#owned = [];
      // What was ours is now shared with a fork and counted there no more.
      this.#claim(-this.#ownedBytes);
    }
    return this.#owned;
  }

  /** Where there is no room for storage to grow into, it takes no more than it needs. Returns how much it is. */
  #claimChunk(wanted: number, needed: number, owned: number): number {
    try {
      this.#claim(wanted - owned);
      return wanted;
    } catch (error) {
      if (!(error instanceof WasiFault) || needed >= wanted) throw error;
      this.#claim(needed - owned);
      return needed;
    }
  }

  #claim(bytes: number): void {
    this.volume.claimBytes(bytes);
    this.#ownedBytes += bytes;
  }
}
