/** Reading and writing the standard streams, where a promise suspends the guest. */

import { WasimoffError } from "../errors.ts";
import { joinChunks } from "../join_chunks.ts";
import { ERRNO, FDFLAGS } from "./abi.ts";
import type { InputStream, OutputStream } from "./descriptors.ts";
import { fail } from "./fault.ts";
import type { Guest } from "./guest.ts";
import type { Iovec } from "./guest_memory.ts";
import type { GuestOutput } from "./program.ts";

/** Pieces of one call are put together up to this size: lines stay whole, and large buffers are not copied. */
const GATHER_MAX_BYTES = 64 * 1024;
/** The result, a u32. */
const COUNT_BYTES = 4;

type Result = number | Promise<number>;

export function readStream(
  guest: Guest,
  stream: InputStream,
  iovs: number,
  count: number,
  out: number,
): Result {
  const iovecs = guest.memory.iovecs(iovs, count);
  const max = totalBytes(iovecs);
  // Checked before anything is taken from the input, which could not be given back.
  guest.memory.bytes(out, COUNT_BYTES);
  const finish = (bytes: Uint8Array): number => {
    if (bytes.length > max) throw new TypeError("standard input gave more bytes than it was asked for");
    if (max > 0) stream.ended = bytes.length === 0;
    scatter(guest, iovecs, bytes);
    guest.memory.setU32(out, bytes.length);
    return ERRNO.SUCCESS;
  };
  const read = (): Result => {
    const got = stream.input.read(max);
    return got instanceof Promise ? got.then(finish) : finish(got);
  };
  if (max === 0) return finish(new Uint8Array(0));
  const failed = (error: unknown) => streamFault(error, ERRNO.IO);
  try {
    const nonblocking = (stream.flags & FDFLAGS.NONBLOCK) !== 0;
    const result = nonblocking && !stream.isReady() ? readAfterTurn(guest, stream, read) : read();
    return result instanceof Promise ? result.catch(failed) : result;
  } catch (error) {
    return failed(error);
  }
}

/** Input arrives between the turns of the event loop only, so a guest that asks again and again has to give one. */
async function readAfterTurn(guest: Guest, stream: InputStream, read: () => Result): Promise<number> {
  await guest.program.clock.sleep(0);
  return stream.isReady() ? await read() : ERRNO.AGAIN;
}

export function writeStream(
  guest: Guest,
  stream: OutputStream,
  iovs: number,
  count: number,
  out: number,
): Result {
  const iovecs = guest.memory.iovecs(iovs, count);
  const total = totalBytes(iovecs);
  guest.memory.bytes(out, COUNT_BYTES);
  const finish = () => {
    guest.memory.setU32(out, total);
    return ERRNO.SUCCESS;
  };
  if (total === 0) return finish();
  let chunks = iovecs.map(({ pointer, length }) => guest.memory.bytes(pointer, length));
  if (chunks.length > 1 && total <= GATHER_MAX_BYTES) chunks = [joinChunks(chunks)];
  try {
    const waiting = writeAll(stream.output, chunks);
    if (waiting === undefined) return finish();
    return waiting.then(finish, (error) => streamFault(error, ERRNO.PIPE));
  } catch (error) {
    return streamFault(error, ERRNO.PIPE);
  }
}

/** Ends the call with `errno` when the other side of the stream failed; everything else is a fault of ours. */
function streamFault(error: unknown, errno: number): never {
  if (error instanceof WasimoffError) fail(errno);
  throw error;
}

function totalBytes(iovecs: readonly Iovec[]): number {
  let total = 0;
  for (const { length } of iovecs) total += length;
  return total;
}

function scatter(guest: Guest, iovecs: readonly Iovec[], bytes: Uint8Array): void {
  let done = 0;
  for (const { pointer, length } of iovecs) {
    const piece = bytes.subarray(done, done + length);
    guest.memory.bytes(pointer, piece.length).set(piece);
    done += piece.length;
  }
}

function writeAll(output: GuestOutput, chunks: readonly Uint8Array[]): Promise<void> | undefined {
  for (let index = 0; index < chunks.length; index++) {
    const waiting = output.write(chunks[index]!);
    if (waiting !== undefined) return waiting.then(() => writeAll(output, chunks.slice(index + 1)));
  }
}
