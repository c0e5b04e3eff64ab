/** Makes a directory tree of a ZIP from a stranger, to be forked by the tasks that use it. */

import { File } from "./file.ts";
import { Directory, type Inode, rootDirectory } from "./inode.ts";
import { Quota } from "./quota.ts";
import { PATH_MAX_BYTES, Symlink } from "./symlink.ts";
import { Volume } from "./volume.ts";
import { unpackEntries } from "./zip_contents.ts";
import { readZipEntries, type ZipEntry, type ZipLimits } from "./zip_entries.ts";
import { decodeZipText, refuseZip, splitEntryName } from "./zip_names.ts";

/** Entries count with the directories that are only named as part of a path, and with the length of links. */
export const ROOTFS_LIMITS: ZipLimits = { maxEntries: 65_536, maxBytes: 1024 ** 3, maxRatio: 200 };
/** Memory of one file besides its contents: inode, name, and place in the directory. Measured: some 600 bytes. */
const INODE_BYTES = 640;
/** A link's target counts as one more entry for each so many bytes of it. */
const TARGET_BYTES_PER_ENTRY = 256;
const NS_PER_MS = 1_000_000n;

/** An unpacked ZIP. */
export interface Rootfs {
  /** It must not change: give each task a copy with `forkDirectory`. */
  readonly root: Directory;
  /** Files, links and directories. */
  readonly entries: number;
  /** Unpacked size of its files and links. */
  readonly contentBytes: number;
  /** Memory it holds, about. */
  readonly bytes: number;
}

/**
 * Unpacks a ZIP. Everything it can be refused for without unpacking is checked before, and entries are held to
 * their declared sizes while unpacking. Rejects with `invalid_argument` and names the entry.
 */
export async function unpackZip(zip: Uint8Array, limits: ZipLimits = ROOTFS_LIMITS): Promise<Rootfs> {
  const entries = await readZipEntries(zip, limits);
  const tree = new Tree(limits.maxEntries);
  for (const entry of entries) tree.add(entry);
  for await (const [entry, contents] of unpackEntries(zip, entries)) tree.fill(entry, contents);
  const contentBytes = entries.reduce((total, { size }) => total + size, 0);
  const bytes = contentBytes + tree.names * INODE_BYTES;
  return { root: tree.finish(), entries: tree.names, contentBytes, bytes };
}

/** The tree while it is built: first all names, so that nothing is unpacked in vain, then the contents. */
class Tree {
  // The ZIP has limits of its own.
  readonly #volume = new Volume({ quota: new Quota({ maxBytes: Infinity, maxEntries: Infinity }) });
  readonly #root = rootDirectory(this.#volume);
  readonly #directoryTimes: [Directory, bigint][] = [];
  /** Where each entry with contents goes. */
  readonly #places = new Map<ZipEntry, { readonly parent: Directory; readonly name: string }>();
  readonly #maxNames: number;
  #names = 0;

  constructor(maxNames: number) {
    this.#maxNames = maxNames;
  }

  get names(): number {
    return this.#names;
  }

  /** Makes room for an entry. */
  add(entry: ZipEntry): void {
    const filename = entry.name;
    const path = splitEntryName(filename);
    if (entry.kind === "directory") {
      this.#directoryTimes.push([this.#directoryAt(path, filename), timeOf(entry)]);
      return;
    }
    const name = path.pop()!;
    const parent = this.#directoryAt(path, filename);
    if (parent.lookup(name) !== undefined) throw refuseZip(`entry "${filename}" is there twice`);
    if (entry.kind === "link" && (entry.size === 0 || entry.size > PATH_MAX_BYTES)) {
      throw refuseZip(`symbolic link "${filename}" has a target of ${entry.size} bytes`);
    }
    this.#count(entry.kind === "link" ? 1 + Math.floor(entry.size / TARGET_BYTES_PER_ENTRY) : 1);
    parent.add(name, new File(this.#volume, timeOf(entry)), 0n);
    this.#places.set(entry, { parent, name });
  }

  /** Puts the contents in place: they are kept, not copied. A directory has none. */
  fill(entry: ZipEntry, contents: Uint8Array): void {
    const place = this.#places.get(entry);
    if (place === undefined) return;
    const { parent, name } = place;
    const inode = this.#makeInode(entry, contents);
    parent.replace(name, inode, timeOf(entry));
    if (entry.executable) this.#volume.markExecutable(inode.ino);
  }

  /** The root, with the times of directories, which adding to them has changed. */
  finish(): Directory {
    for (const [directory, time] of this.#directoryTimes) directory.touch(time);
    return this.#root;
  }

  #makeInode(entry: ZipEntry, contents: Uint8Array): Inode {
    if (entry.kind === "file") return File.of(this.#volume, timeOf(entry), contents);
    const target = decodeZipText(contents, `the target of symbolic link "${entry.name}"`);
    return new Symlink(this.#volume, timeOf(entry), target);
  }

  #directoryAt(path: readonly string[], filename: string): Directory {
    let directory = this.#root;
    for (const name of path) {
      let next = directory.lookup(name);
      if (next === undefined) {
        this.#count(1);
        next = new Directory(this.#volume, 0n);
        directory.add(name, next, 0n);
      }
      if (!(next instanceof Directory)) throw refuseZip(`entry "${filename}" lies below a file`);
      directory = next;
    }
    return directory;
  }

  #count(names: number): void {
    this.#names += names;
    if (this.#names > this.#maxNames) throw refuseZip(`more than ${this.#maxNames} files and directories`);
  }
}

function timeOf({ mtimeMs }: ZipEntry): bigint {
  return BigInt(mtimeMs) * NS_PER_MS;
}
