/** fd_readdir: as many entries as fit, the last one cut off, so that the guest knows there is more. */

import { DIRENT_BYTES, ERRNO, RIGHTS } from "./abi.ts";
import type { FunctionTable } from "./function_table.ts";
import type { Guest } from "./guest.ts";
import type { Directory, DirectoryEntry } from "./inode.ts";

const ENCODER = new TextEncoder();

/** `.` and `..`; above the root is the root itself. */
function dots(directory: Directory): DirectoryEntry[] {
  return [
    { name: ".", inode: directory, cookie: 1 },
    { name: "..", inode: directory.parent ?? directory, cookie: 2 },
  ];
}

/** Index of the first entry after `cookie`; the list is in order of cookies. */
function firstAfter(list: readonly DirectoryEntry[], cookie: number): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (list[middle]!.cookie > cookie) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Fills a piece of guest memory with entries. */
class DirentWriter {
  used = 0;
  readonly #header = new Uint8Array(DIRENT_BYTES);
  readonly #view = new DataView(this.#header.buffer);

  constructor(readonly target: Uint8Array) {}

  /** Returns whether there is room for more. */
  add({ name, inode, cookie }: DirectoryEntry): boolean {
    const bytes = ENCODER.encode(name);
    this.#view.setBigUint64(0, BigInt(cookie), true);
    this.#view.setBigUint64(8, inode.ino, true);
    this.#view.setUint32(16, bytes.length, true);
    this.#view.setUint8(20, inode.filetype);
    this.#append(this.#header);
    this.#append(bytes);
    return this.used < this.target.length;
  }

  #append(bytes: Uint8Array): void {
    const fitting = bytes.subarray(0, this.target.length - this.used);
    this.target.set(fitting, this.used);
    this.used += fitting.length;
  }
}

function readdir(guest: Guest, fd: number, buffer: Uint8Array, cookie: number): number {
  const { inode } = guest.descriptors.directory(fd, RIGHTS.FD_READDIR);
  // A removed directory has nothing in it, not even the dots.
  if (inode.nlink === 0) return 0;
  const writer = new DirentWriter(buffer);
  for (const entry of dots(inode)) {
    if (entry.cookie > cookie && !writer.add(entry)) return writer.used;
  }
  const list = inode.list();
  for (let index = firstAfter(list, cookie); index < list.length; index++) {
    if (!writer.add(list[index]!)) break;
  }
  return writer.used;
}

export const FD_READDIR: FunctionTable = {
  fd_readdir(guest, fd: number, pointer: number, length: number, cookie: bigint, out: number) {
    const buffer = guest.memory.bytes(pointer, length);
    guest.memory.setU32(out, readdir(guest, fd, buffer, Number(BigInt.asUintN(64, cookie))));
    return ERRNO.SUCCESS;
  },
};
