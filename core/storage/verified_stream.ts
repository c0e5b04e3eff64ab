/** Checks content while it streams from a medium that may rot. */

import { WasimoffError } from "../errors.ts";
import type { FileRef, StartHash } from "./file_store.ts";

export interface VerifyOptions {
  readonly ref: FileRef;
  readonly startHash: StartHash;
  /** Called before the stream ends with an error, to remove the file. */
  onRot(): Promise<void>;
}

/**
 * Passes a whole file through. The last piece is held until the hash is known, so that nobody ever receives
 * rotten content in full: the stream ends with `data_loss` instead.
 */
export function verifyStream(
  { ref, startHash, onRot }: VerifyOptions,
): TransformStream<Uint8Array, Uint8Array> {
  const hash = startHash();
  let held: Uint8Array | null = null;
  return new TransformStream({
    transform(chunk, controller) {
      hash.update(chunk);
      if (held !== null) controller.enqueue(held);
      held = chunk;
    },
    async flush(controller) {
      if (`sha256:${hash.digest()}` !== ref) {
        await onRot();
        throw rotten(ref);
      }
      if (held !== null) controller.enqueue(held);
    },
  });
}

/** The error for content that is not what its ref says. */
export function rotten(ref: FileRef): WasimoffError {
  return new WasimoffError("data_loss", `stored file "${ref}" is damaged and was removed: upload it again`);
}
