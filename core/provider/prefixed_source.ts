/** Bytes that are here already, followed by a stream. */

import type { ByteSource } from "../byte_stream.ts";

/** Reads `first`, then `rest`; null stands for no bytes at all, so that nobody waits for a stream that is empty. */
export function prefixed(first: Uint8Array, rest: ByteSource | null): ByteSource | null {
  if (first.length === 0) return rest;
  let pending: Uint8Array | null = first;
  return {
    read: () => {
      const chunk = pending;
      pending = null;
      if (chunk !== null) return Promise.resolve(chunk);
      return rest === null ? Promise.resolve(null) : rest.read();
    },
    cancel: (reason) => {
      pending = null;
      rest?.cancel(reason);
    },
  };
}
