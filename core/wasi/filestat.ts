/** What `stat` shows, in the layouts of preview 1 and of wasi_unstable. */

import { ERRNO, FILETYPE, type Filetype, FSTFLAGS } from "./abi.ts";
import { fail } from "./fault.ts";
import type { Guest } from "./guest.ts";
import type { Inode } from "./inode.ts";
import { requireWritable } from "./read_only.ts";

/** What is shown of an inode, or of a stream. */
interface Stat {
  readonly filetype: Filetype;
  readonly ino: bigint;
  readonly nlink: number;
  readonly size: number;
  readonly atim: bigint;
  readonly mtim: bigint;
  readonly ctim: bigint;
}

/** A stream has a type and nothing else. */
export const STREAM_STAT: Stat = {
  filetype: FILETYPE.CHARACTER_DEVICE,
  ino: 0n,
  nlink: 1,
  size: 0,
  atim: 0n,
  mtim: 0n,
  ctim: 0n,
};

/** Writes a stat at a pointer. */
export type FilestatLayout = (guest: Guest, pointer: number, stat: Inode | typeof STREAM_STAT) => void;

/** 64 bytes: dev @0, ino @8, filetype u8 @16, nlink u64 @24, size @32, atim @40, mtim @48, ctim @56. */
export const filestatOfPreview1: FilestatLayout = (guest, pointer, stat) => {
  writeHead(guest, pointer, stat);
  guest.memory.setU64(pointer + 24, BigInt(stat.nlink));
  writeTail(guest, pointer + 32, stat);
};

/** 56 bytes: as in preview 1, but nlink is u32 @20 and everything after it comes 8 bytes earlier. */
export const filestatOfUnstable: FilestatLayout = (guest, pointer, stat) => {
  writeHead(guest, pointer, stat);
  guest.memory.setU32(pointer + 20, stat.nlink);
  writeTail(guest, pointer + 24, stat);
};

function writeHead(guest: Guest, pointer: number, stat: Inode | typeof STREAM_STAT): void {
  guest.memory.setU64(pointer, stat === STREAM_STAT ? 0n : guest.device(stat as Inode));
  guest.memory.setU64(pointer + 8, stat.ino);
  guest.memory.setU64(pointer + 16, BigInt(stat.filetype));
}

function writeTail(guest: Guest, pointer: number, stat: Stat): void {
  guest.memory.setU64(pointer, BigInt(stat.size));
  guest.memory.setU64(pointer + 8, stat.atim);
  guest.memory.setU64(pointer + 16, stat.mtim);
  guest.memory.setU64(pointer + 24, stat.ctim);
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
