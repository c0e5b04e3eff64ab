/** A small table of names in a JSON file of a storage directory: `{"schema":1,"names":[…]}`. */

import { WasimoffError } from "../errors.ts";
import { inDirectory } from "./directory_errors.ts";

export interface TableFileOptions<T> {
  /** Of the file, in the directory. */
  readonly name: string;
  readonly maxEntries: number;
  /** Reads one entry; throws for one that is damaged. */
  readonly parseEntry: (entry: Record<string, unknown>) => T;
  /** What is lost with a file that is removed, for people. */
  readonly loss: string;
}

/** Replaced as a whole, never half-written, and readable by its owner only. */
export class TableFile<T> {
  readonly #directory: string;
  readonly #path: string;
  readonly #options: TableFileOptions<T>;

  constructor(directory: string, options: TableFileOptions<T>) {
    this.#directory = directory;
    this.#path = `${directory}/${options.name}`;
    this.#options = options;
  }

  /** No file means no names; `failed_precondition` when it is damaged. */
  load(): Promise<readonly T[]> {
    return inDirectory(this.#directory, async () => {
      try {
        return this.#parse(await Deno.readTextFile(this.#path));
      } catch (error) {
        if (error instanceof Deno.errors.NotFound) return [];
        throw error;
      }
    });
  }

  save(entries: readonly T[]): Promise<void> {
    return inDirectory(this.#directory, async () => {
      const temporary = `${this.#path}.new`;
      using file = await Deno.open(temporary, { create: true, write: true, truncate: true, mode: 0o600 });
      const text = new TextEncoder().encode(JSON.stringify({ schema: 1, names: entries }));
      for (let rest = text; rest.length > 0;) rest = rest.subarray(await file.write(rest));
      await file.syncData();
      await Deno.rename(temporary, this.#path);
    });
  }

  #parse(text: string): T[] {
    const { maxEntries, parseEntry, loss } = this.#options;
    try {
      const { schema, names } = JSON.parse(text);
      if (schema !== 1 || !Array.isArray(names) || names.length > maxEntries) {
        throw new TypeError("not a table");
      }
      return names.map(parseEntry);
    } catch (cause) {
      const message = `file "${this.#path}" is damaged: repair or remove it, ${loss} then`;
      throw new WasimoffError("failed_precondition", message, { cause });
    }
  }
}
