/** Unpacks the contents of one entry of a ZIP into exactly the bytes it has declared. */

import { crc32 } from "./crc32.ts";
import type { ZipEntry } from "./zip_entries.ts";
import { refuseZip } from "./zip_names.ts";

/** One piece of input can become a thousand times as much at once, before anybody looks at it. */
const PIECE_BYTES = 32 * 1024;

/** Fills `target`, which has the size of the entry. Rejects with `invalid_argument` when it is something else. */
export async function unpackEntry(entry: ZipEntry, target: Uint8Array): Promise<void> {
  if (entry.deflated) await inflate(entry, target);
  else target.set(entry.packed);
  checkContents(entry, target);
}

/** Compares contents with the checksum. */
export function checkContents({ name, crc32: expected }: ZipEntry, contents: Uint8Array): void {
  if (crc32(contents) !== expected) throw refuseZip(`entry "${name}" has a wrong checksum`);
}

async function inflate({ name, packed }: ZipEntry, target: Uint8Array): Promise<void> {
  const { readable, writable } = new DecompressionStream("deflate-raw");
  // What goes wrong there is seen by the reader too.
  feed(packed, writable.getWriter()).catch(() => {});
  const reader = readable.getReader();
  let used = 0;
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      if (used + value.length > target.length) throw refuseZip(`entry "${name}" is larger than it says`);
      target.set(value, used);
      used += value.length;
    }
  } catch (error) {
    await reader.cancel(error).catch(() => {});
    throw error instanceof TypeError ? refuseZip(`entry "${name}": ${error.message}`, error) : error;
  }
  if (used < target.length) throw refuseZip(`entry "${name}" is smaller than it says`);
}

async function feed(
  packed: Uint8Array,
  writer: WritableStreamDefaultWriter<BufferSource>,
): Promise<void> {
  const last = Math.max(0, packed.length - PIECE_BYTES);
  let at = 0;
  for (; at < last; at += PIECE_BYTES) await writer.write(piece(packed, at));
  // Only the end of the last one is waited for: most entries have no other.
  await Promise.all([writer.write(piece(packed, at)), writer.close()]);
}

function piece(packed: Uint8Array, at: number): Uint8Array<ArrayBuffer> {
  return packed.subarray(at, at + PIECE_BYTES) as Uint8Array<ArrayBuffer>;
}
