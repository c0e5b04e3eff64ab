/** Keeps the names of tunnels in a small JSON file: `{"schema":1,"names":[{"name","key","token"}]}`. */

import { MAX_TUNNEL_NAMES } from "../protocol/limits.ts";
import { checkTunnelName } from "../tunnel/tunnel_name.ts";
import type { TunnelNameEntry, TunnelNameStorage } from "../tunnel/tunnel_names.ts";
import { TableFile } from "./table_file.ts";

/** The file `tunnel_names.json` in a directory. */
export class TunnelNamesFile extends TableFile<TunnelNameEntry> implements TunnelNameStorage {
  constructor(directory: string) {
    super(directory, {
      name: "tunnel_names.json",
      maxEntries: MAX_TUNNEL_NAMES,
      parseEntry,
      loss: "the owners of its names are forgotten",
    });
  }
}

function parseEntry({ name, key, token }: Record<string, unknown>): TunnelNameEntry {
  if (typeof name !== "string" || typeof key !== "string" || typeof token !== "string") {
    throw new TypeError("not a tunnel name");
  }
  checkTunnelName(name);
  return { name, key, token };
}
