/** Keeps the names of stored files in a small JSON file: `{"schema":1,"names":[{"name","ref","owner"}]}`. */

import { WasimoffError } from "../errors.ts";
import { checkFileName, MAX_NAMES, type NameEntry, type NameStorage } from "../storage/file_names.ts";
import { isFileRef } from "../storage/file_store.ts";
import { inDirectory } from "./directory_errors.ts";

/** The file `names.json` in the directory of a DirectoryStore; replaced as a whole, never half-written. */
export class NamesFile implements NameStorage {
  readonly #directory: string;
  readonly #path: string;

  constructor(directory: string) {
    this.#directory = directory;
    this.#path = `${directory}/names.json`;
  }

  /** No file means no names; `failed_precondition` when it is damaged. */
  load(): Promise<readonly NameEntry[]> {
    return inDirectory(this.#directory, async () => {
      try {
        return parseNames(await Deno.readTextFile(this.#path), this.#path);
      } catch (error) {
        if (error instanceof Deno.errors.NotFound) return [];
        throw error;
      }
    });
  }

  save(entries: readonly NameEntry[]): Promise<void> {
    return inDirectory(this.#directory, async () => {
      const temporary = `${this.#path}.new`;
      using file = await Deno.open(temporary, { create: true, write: true, truncate: true, mode: 0o600 });
      const text = new TextEncoder().encode(JSON.stringify({ schema: 1, names: entries }));
      for (let rest = text; rest.length > 0;) rest = rest.subarray(await file.write(rest));
      await file.syncData();
      await Deno.rename(temporary, this.#path);
    });
  }
}

function parseNames(text: string, path: string): NameEntry[] {
  try {
    const { schema, names } = JSON.parse(text);
    if (schema !== 1 || !Array.isArray(names) || names.length > MAX_NAMES) {
      throw new TypeError("not a name table");
    }
    return names.map(parseEntry);
  } catch (cause) {
    const message = `file "${path}" is damaged: repair or remove it, its names are lost then`;
    throw new WasimoffError("failed_precondition", message, { cause });
  }
}

function parseEntry({ name, ref, owner }: Record<string, unknown>): NameEntry {
  if (typeof name !== "string" || typeof ref !== "string" || typeof owner !== "string" || !isFileRef(ref)) {
    throw new TypeError("not a name entry");
  }
  checkFileName(name);
  return { name, ref, owner };
}
