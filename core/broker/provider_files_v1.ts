/** How a provider of wasimoff_v1 gets the files of its tasks (wasimoff-v1 4.5, 4.6, 6.2). */

import { WasimoffError } from "../errors.ts";
import type { FileRef, FileStore } from "../storage/file_store.ts";

/** A file that travels in its task; larger ones must be fetched. */
export const MAX_INLINE_FILE_BYTES = 32 * 1024 * 1024;
/** Files remembered to be there; those used longest ago are sent again. */
const MAX_KNOWN_FILES = 1_024;

/** A `File` of a task. */
export interface TaskFileV1 {
  readonly ref: FileRef;
  readonly media: string;
  readonly blob?: Uint8Array;
}

/**
 * Providers fetch files by HTTP and send no token with that. Who is let in without one gets references; everybody
 * else gets each file once in a task, under its reference, and keeps it.
 */
export class ProviderFilesV1 {
  readonly #store: Pick<FileStore, "stat" | "bytes"> | null;
  /** Least recently used first. */
  readonly #known = new Set<FileRef>();

  /** null for a provider that can fetch. */
  constructor(store: Pick<FileStore, "stat" | "bytes"> | null) {
    this.#store = store;
  }

  /** Throws `not_found` for a file that is gone, `out_of_range` for one that is too large to travel so. */
  async file(ref: FileRef, media: string): Promise<TaskFileV1> {
    if (this.#store === null || this.#known.has(ref)) return { ref, media };
    const { size } = await this.#store.stat(ref) ?? { size: 0 };
    if (size > MAX_INLINE_FILE_BYTES) {
      throw new WasimoffError("out_of_range", `file has ${size} bytes, and the provider cannot fetch it`);
    }
    const blob = await this.#store.bytes(ref);
    if (blob === null) throw new WasimoffError("not_found", `file "${ref}" is gone from the broker`);
    return { ref, media, blob };
  }

  /** The provider has these, as it says, or as it has run a task with them. */
  add(refs: Iterable<FileRef>): void {
    if (this.#store === null) return;
    for (const ref of refs) {
      this.#known.delete(ref);
      this.#known.add(ref);
    }
    for (const oldest of this.#known) {
      if (this.#known.size <= MAX_KNOWN_FILES) return;
      this.#known.delete(oldest);
    }
  }

  delete(refs: Iterable<FileRef>): void {
    for (const ref of refs) this.#known.delete(ref);
  }
}
