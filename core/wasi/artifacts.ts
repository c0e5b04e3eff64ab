/** Packs what a task leaves behind. Loads a ZIP library: import it when artifacts were asked for. */

import { Uint8ArrayReader, Uint8ArrayWriter, ZipWriter } from "@zip.js/zip.js";
import { WasimoffError } from "../errors.ts";
import { WasiFault } from "./fault.ts";
import { File } from "./file.ts";
import { Directory, type Inode } from "./inode.ts";
import { resolvePath } from "./path.ts";
import { PATH_MAX_BYTES, Symlink } from "./symlink.ts";

/** What a ZIP needs for each entry besides the name, twice, and the contents: its headers with times. */
const ENTRY_BYTES = 160;
const NS_PER_MS = 1_000_000n;
/** Modes of POSIX: the file system of a guest has no permissions of its own. */
const FILE_MODE = 0o100644;
const DIRECTORY_MODE = 0o040755;
const SYMLINK_MODE = 0o120777;

/** Result of `packArtifacts`: `missing` are the asked paths that lead to nothing, as they were asked. */
export interface PackedArtifacts {
  readonly zip: Uint8Array;
  readonly missing: string[];
}

/** An inode and its name in the ZIP. */
interface Item {
  readonly name: string;
  readonly inode: Inode;
}

/**
 * Packs files, links, and directories with all that is in them. Paths are relative to `root`, with or without
 * one leading slash; names in the ZIP are these paths. Contents are stored, not compressed, so that the size is
 * known before. Rejects with `out_of_range` when the ZIP would exceed `maxBytes`.
 */
export async function packArtifacts(
  root: Directory,
  paths: readonly string[],
  options: { maxBytes: number },
): Promise<PackedArtifacts> {
  const items = new Map<string, Inode>();
  const missing: string[] = [];
  const budget = new Budget(options.maxBytes);
  for (const path of paths) {
    const found = find(root, path);
    if (found === null) missing.push(path);
    else collect(found, items, budget);
  }
  return { zip: await write(items), missing };
}

/** Where a path leads; a link stands for itself. Null for nothing. */
function find(root: Directory, path: string): Item | null {
  const relative = path.startsWith("/") ? path.slice(1) : path;
  try {
    const place = resolvePath(root, relative === "" ? "." : relative, "before slash");
    return place.inode === undefined ? null : { name: canonical(relative), inode: place.inode };
  } catch (error) {
    if (error instanceof WasiFault) return null;
    throw error;
  }
}

/** The path without `.`, doubled slashes, and names that a `..` takes back. */
function canonical(path: string): string {
  const names: string[] = [];
  for (const name of path.split("/")) {
    if (name === "..") names.pop();
    else if (name !== "" && name !== ".") names.push(name);
  }
  return names.join("/");
}

/** Adds an inode and everything below it, each name once; not recursive, as guests may nest without end. */
function collect(first: Item, items: Map<string, Inode>, budget: Budget): void {
  const waiting = [first];
  for (let item = waiting.pop(); item !== undefined; item = waiting.pop()) {
    const { name, inode } = item;
    // What has been collected before has brought along everything below it.
    if (items.has(name)) continue;
    items.set(name, inode);
    budget.take(name, inode);
    if (!(inode instanceof Directory)) continue;
    for (const entry of inode.list().toReversed()) {
      waiting.push({ name: name === "" ? entry.name : `${name}/${entry.name}`, inode: entry.inode });
    }
  }
}

/** Counts what the ZIP will take. */
class Budget {
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  take(name: string, inode: Inode): void {
    const nameBytes = new TextEncoder().encode(name).length;
    if (nameBytes > PATH_MAX_BYTES) {
      throw new WasimoffError(
        "out_of_range",
        `pack artifacts: a path is longer than ${PATH_MAX_BYTES} bytes`,
      );
    }
    this.#bytes += ENTRY_BYTES + 2 * nameBytes + (inode instanceof Directory ? 0 : inode.size);
    if (this.#bytes > this.#maxBytes) {
      throw new WasimoffError(
        "out_of_range",
        `pack artifacts: they are larger than ${this.#maxBytes} bytes, the limit for artifacts`,
      );
    }
  }
}

async function write(items: Map<string, Inode>): Promise<Uint8Array> {
  const writer = new ZipWriter(new Uint8ArrayWriter(), { useWebWorkers: false, level: 0, keepOrder: true });
  // The root itself has no name.
  items.delete("");
  for (const [name, inode] of items) {
    const lastModDate = new Date(Number(inode.mtim / NS_PER_MS));
    if (inode instanceof Directory) {
      await writer.add(name, undefined, { directory: true, lastModDate, unixMode: DIRECTORY_MODE });
    } else {
      const link = inode instanceof Symlink;
      const contents = link ? inode.target : (inode as File).contents();
      const unixMode = link ? SYMLINK_MODE : FILE_MODE;
      await writer.add(name, new Uint8ArrayReader(contents), { lastModDate, unixMode });
    }
  }
  return writer.close();
}
