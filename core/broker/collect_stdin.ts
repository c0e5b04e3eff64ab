/** The whole stdin of a task, for providers that take it only so. */

import { WasimoffError } from "../errors.ts";
import { joinChunks } from "../join_chunks.ts";
import { unlessAborted } from "../unless_aborted.ts";
import type { AttemptIo } from "./provider_peer.ts";

/** Longer ones need a provider that reads a stream. */
export const MAX_COLLECTED_STDIN_BYTES = 16 * 1024 * 1024;

/**
 * Reads to the end. Rejects with `out_of_range` when there is more than MAX_COLLECTED_STDIN_BYTES, with the cause when
 * the stream breaks, and with the signal's reason.
 */
export async function collectStdin(io: AttemptIo, signal: AbortSignal): Promise<Uint8Array> {
  const chunks = [io.stdinBytes];
  let bytes = io.stdinBytes.length;
  while (io.stdin !== null) {
    const chunk = await unlessAborted(io.stdin.read(), signal);
    if (chunk === null) break;
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > MAX_COLLECTED_STDIN_BYTES) {
      const limit = `${MAX_COLLECTED_STDIN_BYTES / (1024 * 1024)} MiB`;
      throw new WasimoffError("out_of_range", `stdin is longer than ${limit}, which needs wasimoff_v2`);
    }
  }
  const used = chunks.filter(({ length }) => length > 0);
  return used.length === 1 ? used[0]! : joinChunks(used);
}
