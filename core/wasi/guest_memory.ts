/** The guest's linear memory, with every access checked and views that survive `memory.grow`. */

import { ERRNO, IOVEC_BYTES } from "./abi.ts";
import { fail } from "./fault.ts";
import { PATH_MAX_BYTES } from "./symlink.ts";

/** A piece of guest memory to read into or write from. */
export interface Iovec {
  readonly pointer: number;
  readonly length: number;
}

/** Most entries of one iovec list, as Linux has it; more is EINVAL. */
export const IOVECS_MAX = 1024;

/** What one call may move: its result is a signed 32 bit number to C programs. */
const TRANSFER_MAX_BYTES = 2 ** 31 - 1;

/** Strict, as names that are no UTF-8 are EILSEQ; keeps byte order marks, which are part of a name. */
const DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Pointers and lengths may come as signed 32 bit numbers; whatever lies outside of the memory is EFAULT. */
export class GuestMemory {
  #memory: WebAssembly.Memory | null = null;
  #bytes: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(this.#bytes.buffer);

  attach(memory: WebAssembly.Memory): void {
    this.#memory = memory;
  }

  /** Size in bytes; 0 without a memory. */
  get byteLength(): number {
    return this.#memory?.buffer.byteLength ?? 0;
  }

  /** A view that is valid until the guest runs again. */
  bytes(pointer: number, length: number): Uint8Array {
    const at = this.#check(pointer, length >>> 0);
    return this.#bytes.subarray(at, at + (length >>> 0));
  }

  /** A path or a target, not terminated. One that cannot be, is not decoded: it may have all the guest's memory. */
  string(pointer: number, length: number): string {
    const bytes = this.bytes(pointer, length);
    if (bytes.length >= PATH_MAX_BYTES) fail(ERRNO.NAMETOOLONG);
    try {
      return DECODER.decode(bytes);
    } catch (error) {
      if (error instanceof TypeError) fail(ERRNO.ILSEQ);
      throw error;
    }
  }

  u8(pointer: number): number {
    const at = this.#check(pointer, 1);
    return this.#view.getUint8(at);
  }

  u16(pointer: number): number {
    const at = this.#check(pointer, 2);
    return this.#view.getUint16(at, true);
  }

  u32(pointer: number): number {
    const at = this.#check(pointer, 4);
    return this.#view.getUint32(at, true);
  }

  u64(pointer: number): bigint {
    const at = this.#check(pointer, 8);
    return this.#view.getBigUint64(at, true);
  }

  setU8(pointer: number, value: number): void {
    const at = this.#check(pointer, 1);
    this.#view.setUint8(at, value);
  }

  setU16(pointer: number, value: number): void {
    const at = this.#check(pointer, 2);
    this.#view.setUint16(at, value, true);
  }

  setU32(pointer: number, value: number): void {
    const at = this.#check(pointer, 4);
    this.#view.setUint32(at, value, true);
  }

  setU64(pointer: number, value: bigint): void {
    const at = this.#check(pointer, 8);
    this.#view.setBigUint64(at, value, true);
  }

  /** The entries of an iovec list that have a length, all of them checked before anything is moved. */
  iovecs(pointer: number, count: number): Iovec[] {
    if (count >>> 0 > IOVECS_MAX) fail(ERRNO.INVAL);
    const at = this.#check(pointer, count * IOVEC_BYTES);
    const list: Iovec[] = [];
    let total = 0;
    for (let entry = at; entry < at + count * IOVEC_BYTES; entry += IOVEC_BYTES) {
      const iovec = {
        pointer: this.#view.getUint32(entry, true),
        length: this.#view.getUint32(entry + 4, true),
      };
      if (iovec.length === 0) continue;
      this.#check(iovec.pointer, iovec.length);
      list.push(iovec);
      total += iovec.length;
    }
    return total > TRANSFER_MAX_BYTES ? fail(ERRNO.INVAL) : list;
  }

  #check(pointer: number, length: number): number {
    const at = pointer >>> 0;
    // Growing detaches the old buffer, whose length becomes 0: that is how the view notices.
    if (at + length > this.#bytes.length || this.#bytes.length === 0) {
      this.#refresh();
      if (at + length > this.#bytes.length) fail(ERRNO.FAULT);
    }
    return at;
  }

  #refresh(): void {
    if (this.#memory === null) return;
    this.#bytes = new Uint8Array(this.#memory.buffer);
    this.#view = new DataView(this.#memory.buffer);
  }
}
