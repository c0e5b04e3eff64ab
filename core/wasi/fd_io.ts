/** fd_read, fd_write, fd_pread, fd_pwrite, fd_seek and fd_tell. */

import { ERRNO, FDFLAGS, RIGHTS, WHENCE } from "./abi.ts";
import { InputStream, OpenDirectory, type OpenFile, OutputStream } from "./descriptors.ts";
import { fail, WasiFault } from "./fault.ts";
import type { FunctionTable } from "./function_table.ts";
import type { Guest } from "./guest.ts";
import { readStream, writeStream } from "./stream_io.ts";

/** The result of reading and writing, a u32, and that of seeking, a u64. */
const COUNT_BYTES = 4;
export const POSITION_BYTES = 8;

/** The arguments that all four calls have: where the iovecs are, how many, and where the count goes. */
interface Transfer {
  readonly iovs: number;
  readonly count: number;
  readonly out: number;
}

function readFile(guest: Guest, file: OpenFile, at: number, transfer: Transfer): number {
  let done = 0;
  for (const { pointer, length } of guest.memory.iovecs(transfer.iovs, transfer.count)) {
    const got = file.inode.read(at + done, guest.memory.bytes(pointer, length));
    done += got;
    if (got < length) break;
  }
  guest.memory.setU32(transfer.out, done);
  return done;
}

/** Writes at `at`, or at the end with the append flag; returns where the next byte would go. */
function writeFile(guest: Guest, file: OpenFile, at: number, transfer: Transfer): number {
  const { inode } = file;
  const iovecs = guest.memory.iovecs(transfer.iovs, transfer.count);
  // Checked before anything is written.
  guest.memory.bytes(transfer.out, COUNT_BYTES);
  const start = (file.flags & FDFLAGS.APPEND) !== 0 && iovecs.length > 0 ? inode.size : at;
  let done = 0;
  try {
    for (const { pointer, length } of iovecs) {
      const wrote = inode.write(start + done, guest.memory.bytes(pointer, length));
      done += wrote;
      if (wrote < length) break;
    }
  } catch (error) {
    // Less than asked for is no error, nothing at all is.
    if (done === 0 || !(error instanceof WasiFault)) throw error;
  }
  if (done > 0) inode.touch(guest.now());
  guest.memory.setU32(transfer.out, done);
  return start + done;
}

/** A position from the guest; what is negative as a signed number is EINVAL. */
export function offsetOf(value: bigint): number {
  const offset = Number(BigInt.asIntN(64, value));
  return offset < 0 ? fail(ERRNO.INVAL) : offset;
}

/** Moves the position of a file. `whence` in the order of preview 1. */
export function seek(guest: Guest, fd: number, offset: bigint, whence: number): bigint {
  const tells = whence === WHENCE.CUR && offset === 0n;
  const file = guest.descriptors.file(fd, 0);
  // The right to seek includes the right to tell.
  if (!tells || (file.rights & RIGHTS.FD_SEEK) === 0) file.require(tells ? RIGHTS.FD_TELL : RIGHTS.FD_SEEK);
  const from = seekOrigin(file, whence);
  const position = from + Number(BigInt.asIntN(64, offset));
  if (position < 0) fail(ERRNO.INVAL);
  if (position > Number.MAX_SAFE_INTEGER) fail(ERRNO.OVERFLOW);
  file.position = position;
  return BigInt(position);
}

function seekOrigin(file: OpenFile, whence: number): number {
  if (whence === WHENCE.SET) return 0;
  if (whence === WHENCE.CUR) return file.position;
  return whence === WHENCE.END ? file.inode.size : fail(ERRNO.INVAL);
}

export const FD_IO: FunctionTable = {
  fd_read(guest, fd: number, iovs: number, count: number, out: number) {
    const descriptor = guest.descriptors.get(fd);
    if (descriptor instanceof OpenDirectory) fail(ERRNO.ISDIR);
    descriptor.require(RIGHTS.FD_READ);
    if (descriptor instanceof InputStream) return readStream(guest, descriptor, iovs, count, out);
    if (descriptor instanceof OutputStream) fail(ERRNO.BADF);
    descriptor.position += readFile(guest, descriptor, descriptor.position, { iovs, count, out });
    return ERRNO.SUCCESS;
  },
  fd_write(guest, fd: number, iovs: number, count: number, out: number) {
    const descriptor = guest.descriptors.get(fd);
    if (descriptor instanceof OpenDirectory) fail(ERRNO.BADF);
    descriptor.require(RIGHTS.FD_WRITE);
    if (descriptor instanceof OutputStream) return writeStream(guest, descriptor, iovs, count, out);
    if (descriptor instanceof InputStream) fail(ERRNO.BADF);
    descriptor.position = writeFile(guest, descriptor, descriptor.position, { iovs, count, out });
    return ERRNO.SUCCESS;
  },
  fd_pread(guest, fd: number, iovs: number, count: number, offset: bigint, out: number) {
    const file = guest.descriptors.file(fd, RIGHTS.FD_READ | RIGHTS.FD_SEEK);
    readFile(guest, file, offsetOf(offset), { iovs, count, out });
    return ERRNO.SUCCESS;
  },
  // With the append flag the offset counts for nothing, as the witx and Linux have it.
  fd_pwrite(guest, fd: number, iovs: number, count: number, offset: bigint, out: number) {
    const file = guest.descriptors.file(fd, RIGHTS.FD_WRITE | RIGHTS.FD_SEEK);
    writeFile(guest, file, offsetOf(offset), { iovs, count, out });
    return ERRNO.SUCCESS;
  },
  fd_seek(guest, fd: number, offset: bigint, whence: number, out: number) {
    guest.memory.bytes(out, POSITION_BYTES);
    guest.memory.setU64(out, seek(guest, fd, offset, whence));
    return ERRNO.SUCCESS;
  },
  fd_tell(guest, fd: number, out: number) {
    guest.memory.setU64(out, seek(guest, fd, 0n, WHENCE.CUR));
    return ERRNO.SUCCESS;
  },
};
