/** The stores of broker and provider: in memory or in a directory. */

import { MemoryStore } from "../storage/memory_store.ts";
import { type NameStorage, UNSAVED } from "../storage/file_names.ts";
import type { FileStore } from "../storage/file_store.ts";
import { DirectoryStore } from "./directory_store.ts";
import { startHash } from "./hash.ts";
import { NamesFile } from "./names_file.ts";

/** Files in memory: as much as a small machine can spare. */
const MAX_MEMORY_BYTES = 2 * 1024 ** 3;
/** Files in a directory. */
const MAX_DIRECTORY_BYTES = 64 * 1024 ** 3;

export interface Files {
  readonly files: FileStore;
  readonly nameStorage: NameStorage;
}

/** Opens the store in `directory`, or a new one in memory for null. */
export async function openFiles(directory: string | null): Promise<Files> {
  if (directory === null) {
    return { files: new MemoryStore({ maxTotalBytes: MAX_MEMORY_BYTES, startHash }), nameStorage: UNSAVED };
  }
  const files = await DirectoryStore.open({
    directory,
    maxTotalBytes: MAX_DIRECTORY_BYTES,
    startHash,
    now: Date.now,
  });
  return { files, nameStorage: new NamesFile(directory) };
}
