/** What `stat` shows, in the layouts of preview 1 and of wasi_unstable. */

import { ERRNO, FILETYPE, FSTFLAGS } from "./abi.ts";
import { fail } from "./fault.ts";
import type { Guest } from "./guest.ts";
import type { Inode } from "./inode.ts";
import { requireWritable } from "./read_only.ts";

/** Shown of a stream, which has a type and nothing else. */
const STREAM = {
  filetype: FILETYPE.CHARACTER_DEVICE,
  ino: 0n,
  nlink: 1,
  size: 0,
  atim: 0n,
  mtim: 0n,
  ctim: 0n,
};

/** Writes what is known of an inode, or of a stream where there is none, at a pointer. */
export type FilestatLayout = (guest: Guest, pointer: number, inode: Inode | null) => void;

/** 64 bytes: dev @0, ino @8, filetype u8 @16, nlink u64 @24, size @32, atim @40, mtim @48, ctim @56. */
export const filestatOfPreview1: FilestatLayout = (guest, pointer, inode) => {
  writeHead(guest, pointer, inode);
  guest.memory.setU64(pointer + 24, BigInt((inode ?? STREAM).nlink));
  writeTail(guest, pointer + 32, inode);
};

/** 56 bytes: as in preview 1, but nlink is u32 @20 and everything after it comes 8 bytes earlier. */
export const filestatOfUnstable: FilestatLayout = (guest, pointer, inode) => {
  writeHead(guest, pointer, inode);
  guest.memory.setU32(pointer + 20, (inode ?? STREAM).nlink);
  writeTail(guest, pointer + 24, inode);
};

function writeHead(guest: Guest, pointer: number, inode: Inode | null): void {
  const { ino, filetype } = inode ?? STREAM;
  guest.memory.setU64(pointer, inode === null ? 0n : guest.device(inode));
  guest.memory.setU64(pointer + 8, ino);
  guest.memory.setU64(pointer + 16, BigInt(filetype));
}

function writeTail(guest: Guest, pointer: number, inode: Inode | null): void {
  const { size, atim, mtim, ctim } = inode ?? STREAM;
  guest.memory.setU64(pointer, BigInt(size));
  guest.memory.setU64(pointer + 8, atim);
  guest.memory.setU64(pointer + 16, mtim);
  guest.memory.setU64(pointer + 24, ctim);
}

/** The arguments of the two calls that set times. */
export interface NewTimes {
  readonly atim: bigint;
  readonly mtim: bigint;
  readonly flags: number;
}

/** Sets times as `flags` say; a time and "now" at once is EINVAL. */
export function setTimes(guest: Guest, inode: Inode, times: NewTimes): void {
  const { flags } = times;
  const atim = flags & (FSTFLAGS.ATIM | FSTFLAGS.ATIM_NOW);
  const mtim = flags & (FSTFLAGS.MTIM | FSTFLAGS.MTIM_NOW);
  if (atim === (FSTFLAGS.ATIM | FSTFLAGS.ATIM_NOW)) fail(ERRNO.INVAL);
  if (mtim === (FSTFLAGS.MTIM | FSTFLAGS.MTIM_NOW)) fail(ERRNO.INVAL);
  if (flags !== (atim | mtim)) fail(ERRNO.INVAL);
  // Nothing to do is no change either.
  if (flags === 0) return;
  requireWritable(inode.volume);
  const now = guest.now();
  if (atim !== 0) inode.atim = atim === FSTFLAGS.ATIM ? BigInt.asUintN(64, times.atim) : now;
  if (mtim !== 0) inode.mtim = mtim === FSTFLAGS.MTIM ? BigInt.asUintN(64, times.mtim) : now;
  inode.ctim = now;
}
