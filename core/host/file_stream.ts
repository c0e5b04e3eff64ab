/** Reads an open file, or a range of it, as a stream. */

import { WasimoffError } from "../errors.ts";
import type { ByteRange } from "../storage/file_store.ts";

/** Size of one read: large enough that the reads cost little beside the hashing. */
const READ_CHUNK_BYTES = 256 * 1024;

/**
 * Streams `range` and closes the file at the end, after an error and when the reader cancels. An `end` of
 * Infinity reads to the end of the file; a file that is shorter than a given `end` is an error (`data_loss`).
 */
export function readFileRange(file: Deno.FsFile, { start, end }: ByteRange): ReadableStream<Uint8Array> {
  let left = end - start;
  const pull = async (controller: ReadableStreamDefaultController<Uint8Array>) => {
    const buffer = new Uint8Array(Math.min(left, READ_CHUNK_BYTES));
    const length = left === 0 ? null : await file.read(buffer);
    if (length !== null) {
      left -= length;
      return controller.enqueue(buffer.subarray(0, length));
    }
    if (left > 0 && end !== Infinity) {
      throw new WasimoffError("data_loss", "stored file is shorter than it was");
    }
    file.close();
    controller.close();
  };
  return new ReadableStream<Uint8Array>({
    async start() {
      if (start > 0) await file.seek(start, Deno.SeekMode.Start);
    },
    async pull(controller) {
      try {
        await pull(controller);
      } catch (error) {
        file.close();
        throw error;
      }
    },
    cancel: () => file.close(),
  }, { highWaterMark: 0 });
}
