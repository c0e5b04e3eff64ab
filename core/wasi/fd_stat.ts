/** fd_fdstat_*, fd_filestat_*, and what only changes or syncs a file: advise, allocate, sync, datasync. */

import { ADVICE_LAST, ERRNO, FDFLAGS, FDFLAGS_ALL, FDSTAT_BYTES, RIGHTS, RIGHTS_BITS } from "./abi.ts";
import { OpenDirectory, OpenFile } from "./descriptors.ts";
import { fail } from "./fault.ts";
import { offsetOf } from "./fd_io.ts";
import { type FilestatLayout, filestatOfPreview1, setTimes } from "./filestat.ts";
import type { File } from "./file.ts";
import type { FunctionTable } from "./function_table.ts";
import type { Guest } from "./guest.ts";
import type { Inode } from "./inode.ts";
import { requireWritable } from "./read_only.ts";

/** What can be changed after opening, as with F_SETFL on Linux; the others stay as they are. */
const SETTABLE_FLAGS = FDFLAGS.APPEND | FDFLAGS.NONBLOCK;

/** Rights as the guest gives them. Bits that no right has are left out. */
export function rightsOf(value: bigint): number {
  return Number(BigInt.asUintN(RIGHTS_BITS, value));
}

/** The inode behind a descriptor; null for a stream. */
function inodeOf(guest: Guest, fd: number, rights: number): Inode | null {
  const descriptor = guest.descriptors.get(fd);
  descriptor.require(rights);
  return descriptor instanceof OpenFile || descriptor instanceof OpenDirectory ? descriptor.inode : null;
}

/** A file whose size is to change. Without the right to write at all, it is `readOnly` as POSIX has it. */
function inodeToChange(file: OpenFile, right: number, readOnly: number): File {
  if ((file.rights & (right | RIGHTS.FD_WRITE)) === 0) fail(readOnly);
  file.require(right);
  requireWritable(file.inode.volume);
  return file.inode;
}

/** fd_filestat_get in one of the two layouts. */
export function filestatGet(layout: FilestatLayout) {
  return (guest: Guest, fd: number, out: number): number => {
    layout(guest, out, inodeOf(guest, fd, RIGHTS.FD_FILESTAT_GET));
    return ERRNO.SUCCESS;
  };
}

export const FD_STAT: FunctionTable = {
  fd_fdstat_get(guest, fd: number, out: number) {
    const descriptor = guest.descriptors.get(fd);
    guest.memory.bytes(out, FDSTAT_BYTES).fill(0);
    guest.memory.setU8(out, descriptor.filetype);
    guest.memory.setU16(out + 2, descriptor.flags);
    guest.memory.setU64(out + 8, BigInt(descriptor.rights));
    guest.memory.setU64(out + 16, BigInt(descriptor.inheriting));
    return ERRNO.SUCCESS;
  },
  fd_fdstat_set_flags(guest, fd: number, flags: number) {
    const descriptor = guest.descriptors.get(fd);
    descriptor.require(RIGHTS.FD_FDSTAT_SET_FLAGS);
    if ((flags & ~FDFLAGS_ALL) !== 0) fail(ERRNO.INVAL);
    descriptor.flags = (descriptor.flags & ~SETTABLE_FLAGS) | (flags & SETTABLE_FLAGS);
    return ERRNO.SUCCESS;
  },
  // Rights can only be given up.
  fd_fdstat_set_rights(guest, fd: number, rights: bigint, inheriting: bigint) {
    const descriptor = guest.descriptors.get(fd);
    if ((rightsOf(rights) & ~descriptor.rights) !== 0) fail(ERRNO.NOTCAPABLE);
    if ((rightsOf(inheriting) & ~descriptor.inheriting) !== 0) fail(ERRNO.NOTCAPABLE);
    descriptor.rights = rightsOf(rights);
    descriptor.inheriting = rightsOf(inheriting);
    return ERRNO.SUCCESS;
  },
  fd_filestat_get: filestatGet(filestatOfPreview1),
  fd_filestat_set_size(guest, fd: number, size: bigint) {
    const descriptor = guest.descriptors.get(fd);
    if (!(descriptor instanceof OpenFile)) fail(ERRNO.INVAL);
    const inode = inodeToChange(descriptor, RIGHTS.FD_FILESTAT_SET_SIZE, ERRNO.INVAL);
    inode.resize(offsetOf(size));
    inode.touch(guest.now());
    return ERRNO.SUCCESS;
  },
  fd_filestat_set_times(guest, fd: number, atim: bigint, mtim: bigint, flags: number) {
    const inode = inodeOf(guest, fd, RIGHTS.FD_FILESTAT_SET_TIMES);
    setTimes(guest, inode ?? fail(ERRNO.INVAL), { atim, mtim, flags });
    return ERRNO.SUCCESS;
  },
  fd_advise(guest, fd: number, offset: bigint, length: bigint, advice: number) {
    guest.descriptors.file(fd, RIGHTS.FD_ADVISE);
    offsetOf(offset);
    offsetOf(length);
    return advice >>> 0 > ADVICE_LAST ? ERRNO.INVAL : ERRNO.SUCCESS;
  },
  fd_allocate(guest, fd: number, offset: bigint, length: bigint) {
    const inode = inodeToChange(guest.descriptors.file(fd, 0), RIGHTS.FD_ALLOCATE, ERRNO.BADF);
    if (length === 0n) fail(ERRNO.INVAL);
    inode.allocate(offsetOf(offset), offsetOf(length));
    inode.touch(guest.now());
    return ERRNO.SUCCESS;
  },
  fd_sync(guest, fd: number) {
    inodeOf(guest, fd, RIGHTS.FD_SYNC);
    return ERRNO.SUCCESS;
  },
  fd_datasync(guest, fd: number) {
    inodeOf(guest, fd, RIGHTS.FD_DATASYNC);
    return ERRNO.SUCCESS;
  },
};
