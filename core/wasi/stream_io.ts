/** Reading and writing the standard streams, where a promise suspends the guest. */

import { WasimoffError } from "../errors.ts";
import { ERRNO, FDFLAGS } from "./abi.ts";
import type { InputStream, OutputStream } from "./descriptors.ts";
import { fail } from "./fault.ts";
import type { Guest } from "./guest.ts";
import type { Iovec } from "./guest_memory.ts";
import type { GuestOutput } from "./program.ts";

/** Pieces of one call are put together up to this size: lines stay whole, and large buffers are not copied. */
const GATHER_MAX_BYTES = 64 * 1024;
/** What one call may move; the result is a signed 32 bit number to C programs. */
const TRANSFER_MAX_BYTES = 2 ** 31 - 1;

type Result = number | Promise<number>;

export function readStream(
  guest: Guest,
  stream: InputStream,
  iovs: number,
  count: number,
  out: number,
): Result {
  const iovecs = guest.memory.iovecs(iovs, count);
  const max = totalBytes(guest, iovecs);
  // Checked before anything is taken from the input, which could not be given back.
  guest.memory.setU32(out, 0);
  if (max === 0) return ERRNO.SUCCESS;
  if ((stream.flags & FDFLAGS.NONBLOCK) !== 0 && !isReady(stream)) return ERRNO.AGAIN;
  const finish = (bytes: Uint8Array): number => {
    if (bytes.length > max) throw new RangeError("standard input gave more bytes than it was asked for");
    scatter(guest, iovecs, bytes);
    guest.memory.setU32(out, bytes.length);
    return ERRNO.SUCCESS;
  };
  try {
    const got = stream.input.read(max);
    return got instanceof Promise ? got.then(finish, (error) => streamFault(error, ERRNO.IO)) : finish(got);
  } catch (error) {
    return streamFault(error, ERRNO.IO);
  }
}

export function writeStream(
  guest: Guest,
  stream: OutputStream,
  iovs: number,
  count: number,
  out: number,
): Result {
  const iovecs = guest.memory.iovecs(iovs, count);
  const total = totalBytes(guest, iovecs);
  guest.memory.setU32(out, total);
  if (total === 0) return ERRNO.SUCCESS;
  let chunks = iovecs.filter((iovec) => iovec.length > 0).map((iovec) =>
    guest.memory.bytes(iovec.pointer, iovec.length)
  );
  if (chunks.length > 1 && total <= GATHER_MAX_BYTES) chunks = [gather(chunks, total)];
  try {
    const waiting = writeAll(stream.output, chunks);
    if (waiting === undefined) return ERRNO.SUCCESS;
    return waiting.then(() => ERRNO.SUCCESS, (error) => streamFault(error, ERRNO.PIPE));
  } catch (error) {
    return streamFault(error, ERRNO.PIPE);
  }
}

/** Whether a read would answer at once. */
function isReady(stream: InputStream): boolean {
  const ready = stream.input.ready?.() ?? true;
  if (ready === true) return true;
  // Only asked, not waited for: a failure will show at the next read.
  ready.catch(() => {});
  return false;
}

/** Ends the call with `errno` when the other side of the stream failed; everything else is a fault of ours. */
function streamFault(error: unknown, errno: number): never {
  if (error instanceof WasimoffError) fail(errno);
  throw error;
}

function totalBytes(guest: Guest, iovecs: readonly Iovec[]): number {
  let total = 0;
  for (const { pointer, length } of iovecs) {
    guest.memory.bytes(pointer, length);
    total += length;
  }
  return total > TRANSFER_MAX_BYTES ? fail(ERRNO.INVAL) : total;
}

function scatter(guest: Guest, iovecs: readonly Iovec[], bytes: Uint8Array): void {
  let done = 0;
  for (const { pointer, length } of iovecs) {
    const piece = bytes.subarray(done, done + length);
    guest.memory.bytes(pointer, piece.length).set(piece);
    done += piece.length;
  }
}

function gather(chunks: readonly Uint8Array[], total: number): Uint8Array {
  const all = new Uint8Array(total);
  let done = 0;
  for (const chunk of chunks) {
    all.set(chunk, done);
    done += chunk.length;
  }
  return all;
}

function writeAll(output: GuestOutput, chunks: readonly Uint8Array[]): Promise<void> | undefined {
  for (let index = 0; index < chunks.length; index++) {
    const waiting = output.write(chunks[index]!);
    if (waiting !== undefined) return waiting.then(() => writeAll(output, chunks.slice(index + 1)));
  }
}
