/** References of bytes in memory. */

import type { FileRef } from "../core/storage/file_store.ts";

/** The reference of the bytes: `sha256:` and the hash in hex. */
export async function fileRef(bytes: Uint8Array): Promise<FileRef> {
  const digest = await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>);
  return `sha256:${new Uint8Array(digest).toHex()}`;
}
