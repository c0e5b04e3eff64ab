/** Packs what a task leaves behind. */

import { WasimoffError } from "../errors.ts";
import { locateArtifact } from "./artifact_path.ts";
import { checkArtifactPaths, findArtifacts, type FoundArtifact } from "./artifact_search.ts";
import { File } from "./file.ts";
import { MatchBudget } from "./glob.ts";
import { Directory, type Inode } from "./inode.ts";
import type { Preopen } from "./program.ts";
import { PATH_MAX_BYTES, Symlink } from "./symlink.ts";
import { packZip, ZIP_END_BYTES, ZIP_MAX_ITEMS, type ZipItem, zipItemBytes } from "./zip_writer.ts";

const NS_PER_MS = 1_000_000n;
/** Comparisons of characters for all patterns of a task: about a second. */
const MAX_MATCH_STEPS = 100_000_000;

/** Result of `packArtifacts`: `missing` are the asked paths that lead to nothing, as they were asked. */
export interface PackedArtifacts {
  /** Null when nothing of what was asked for is there. */
  readonly zip: Uint8Array | null;
  readonly missing: readonly string[];
}

/**
 * Packs files, links, and directories with all that is in them. Paths are those of the guest, or patterns of them;
 * names in the ZIP are these paths. Contents are stored, not compressed, so that the size is known before. Rejects
 * with `out_of_range` when the ZIP would exceed `maxBytes`, or finding things takes too long, and with
 * `failed_precondition` for a name that a ZIP cannot keep.
 */
export async function packArtifacts(
  preopens: readonly Preopen[],
  paths: readonly string[],
  options: { maxBytes: number },
): Promise<PackedArtifacts> {
  checkArtifactPaths(paths);
  const collection = new Collection(options.maxBytes);
  const budget = new MatchBudget(MAX_MATCH_STEPS);
  const missing = paths.filter((path) => {
    const place = locateArtifact(preopens, path);
    const found = place === null ? [] : findArtifacts(place, budget);
    for (const one of found) collection.add(one);
    return found.length === 0;
  });
  return { zip: missing.length < paths.length ? await packZip(collection.items()) : null, missing };
}

/** What will be packed, each name once. */
class Collection {
  readonly #maxBytes: number;
  readonly #inodes = new Map<string, Inode>();
  /** Names that have to be directories, as something below them is packed. */
  readonly #above = new Set<string>();
  #bytes = ZIP_END_BYTES;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Adds an inode and everything below it; not recursive, as guests may nest without end. */
  add(first: FoundArtifact): void {
    for (let end = first.name.lastIndexOf("/"); end > 0; end = first.name.lastIndexOf("/", end - 1)) {
      const above = first.name.slice(0, end);
      if (this.#above.has(above)) break;
      this.#above.add(above);
    }
    const waiting = [first];
    for (let item = waiting.pop(); item !== undefined; item = waiting.pop()) {
      const { name, inode } = item;
      // What has been collected before has brought along everything below it.
      if (this.#inodes.has(name)) continue;
      this.#inodes.set(name, inode);
      this.#take(name, inode);
      if (!(inode instanceof Directory)) continue;
      for (const entry of inode.list().toReversed()) {
        waiting.push({ name: name === "" ? entry.name : `${name}/${entry.name}`, inode: entry.inode });
      }
    }
  }

  /** In the order in which they came. */
  items(): ZipItem[] {
    const items: ZipItem[] = [];
    for (const [name, inode] of this.#inodes) {
      // The root has no name; a link gives way to what was asked for through it, else nobody could unpack it.
      if (name === "" || (this.#above.has(name) && !(inode instanceof Directory))) continue;
      items.push(itemOf(name, inode));
    }
    return items;
  }

  #take(name: string, inode: Inode): void {
    const nameBytes = new TextEncoder().encode(name).length;
    if (nameBytes > PATH_MAX_BYTES) throw tooMuch(`a path is longer than ${PATH_MAX_BYTES} bytes`);
    if (name.includes("\\")) {
      const message = `pack artifacts: a ZIP cannot keep the backslash in ${JSON.stringify(name)}`;
      throw new WasimoffError("failed_precondition", message);
    }
    if (this.#inodes.size > ZIP_MAX_ITEMS) throw tooMuch(`there are more than ${ZIP_MAX_ITEMS}`);
    this.#bytes += zipItemBytes(nameBytes, inode instanceof Directory ? 0 : inode.size);
    if (this.#bytes > this.#maxBytes) {
      throw tooMuch(`they are larger than ${this.#maxBytes} bytes, the limit for artifacts`);
    }
  }
}

function itemOf(name: string, inode: Inode): ZipItem {
  const common = { name, mtimeMs: Number(inode.mtim / NS_PER_MS) };
  if (inode instanceof File) {
    const executable = inode.volume.isExecutable(inode.ino);
    return {
      ...common,
      kind: "file",
      executable,
      size: inode.size,
      read: (at, into) => inode.read(at, into),
    };
  }
  if (inode instanceof Symlink) {
    const { target } = inode;
    const read = (at: number, into: Uint8Array) => into.set(target.subarray(at, at + into.length));
    return { ...common, kind: "link", executable: false, size: target.length, read };
  }
  return { ...common, kind: "directory", executable: false, size: 0, read() {} };
}

function tooMuch(reason: string): WasimoffError {
  return new WasimoffError("out_of_range", `pack artifacts: ${reason}`);
}
