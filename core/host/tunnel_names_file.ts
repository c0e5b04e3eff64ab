/** Keeps the names of tunnels in a small JSON file: `{"schema":1,"names":[{"name","key","token"}]}`. */

import { WasimoffError } from "../errors.ts";
import { MAX_TUNNEL_NAMES } from "../protocol/limits.ts";
import { checkTunnelName } from "../tunnel/tunnel_name.ts";
import type { TunnelNameEntry, TunnelNameStorage } from "../tunnel/tunnel_names.ts";
import { inDirectory } from "./directory_errors.ts";

/** The file `tunnel_names.json` in a directory; replaced as a whole, never half-written. */
export class TunnelNamesFile implements TunnelNameStorage {
  readonly #directory: string;
  readonly #path: string;

  constructor(directory: string) {
    this.#directory = directory;
    this.#path = `${directory}/tunnel_names.json`;
  }

  /** No file means no names; `failed_precondition` when it is damaged. */
  load(): Promise<readonly TunnelNameEntry[]> {
    return inDirectory(this.#directory, async () => {
      try {
        return parseNames(await Deno.readTextFile(this.#path), this.#path);
      } catch (error) {
        if (error instanceof Deno.errors.NotFound) return [];
        throw error;
      }
    });
  }

  save(entries: readonly TunnelNameEntry[]): Promise<void> {
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

function parseNames(text: string, path: string): TunnelNameEntry[] {
  try {
    const { schema, names } = JSON.parse(text);
    if (schema !== 1 || !Array.isArray(names) || names.length > MAX_TUNNEL_NAMES) {
      throw new TypeError("not a table of tunnel names");
    }
    return names.map(parseEntry);
  } catch (cause) {
    const message =
      `file "${path}" is damaged: repair or remove it, the owners of its names are forgotten then`;
    throw new WasimoffError("failed_precondition", message, { cause });
  }
}

function parseEntry({ name, key, token }: Record<string, unknown>): TunnelNameEntry {
  if (typeof name !== "string" || typeof key !== "string" || typeof token !== "string") {
    throw new TypeError("not a tunnel name");
  }
  checkTunnelName(name);
  return { name, key, token };
}
