/** Content for tests of storage. */

import { startHash } from "../../core/host/hash.ts";
import type { FileRef } from "../../core/storage/file_store.ts";

/** The bytes in pieces of `size`. */
export async function* chunks(bytes: Uint8Array, size = 7): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < bytes.length; i += size) yield await Promise.resolve(bytes.subarray(i, i + size));
}

/** The ref of some bytes. */
export function refOf(bytes: Uint8Array): FileRef {
  const hash = startHash();
  hash.update(bytes);
  return `sha256:${hash.digest()}`;
}

/** `size` bytes that start like a module and differ by `seed`. */
export function wasmLike(size: number, seed = 0): Uint8Array<ArrayBuffer> {
  const bytes = Uint8Array.from({ length: size }, (_, i) => (i * 31 + seed) & 0xff);
  bytes.set([0x00, 0x61, 0x73, 0x6d].slice(0, size));
  return bytes;
}

/** A whole stream. */
export async function collect(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  return new Uint8Array(await new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>).arrayBuffer());
}
