/** Keeps the names of stored files in a small JSON file: `{"schema":1,"names":[{"name","ref","owner"}]}`. */

import { checkFileName, MAX_NAMES, type NameEntry, type NameStorage } from "../storage/file_names.ts";
import { isFileRef } from "../storage/file_store.ts";
import { TableFile } from "./table_file.ts";

/** The file `names.json` in the directory of a DirectoryStore. */
export class NamesFile extends TableFile<NameEntry> implements NameStorage {
  constructor(directory: string) {
    super(directory, { name: "names.json", maxEntries: MAX_NAMES, parseEntry, loss: "its names are lost" });
  }
}

function parseEntry({ name, ref, owner }: Record<string, unknown>): NameEntry {
  if (typeof name !== "string" || typeof ref !== "string" || typeof owner !== "string" || !isFileRef(ref)) {
    throw new TypeError("not a name entry");
  }
  checkFileName(name);
  return { name, ref, owner };
}
