/** What every inode has, and the directory: names in order of creation, forked from a shared tree one by one. */

import { ERRNO, FILETYPE, type Filetype } from "./abi.ts";
import { fail } from "./fault.ts";
import { Volume, type VolumeOptions } from "./volume.ts";

/** Times are nanoseconds since 1970; reading does not touch them, as under a `noatime` mount. */
export abstract class Inode {
  abstract readonly filetype: Filetype;
  readonly volume: Volume;
  readonly ino: bigint;
  /** Names that lead here; 0 once it is removed. */
  nlink = 0;
  atim: bigint;
  mtim: bigint;
  ctim: bigint;

  /** A new inode of `volume`, or a copy of `origin` there with the same number and times. */
  constructor(volume: Volume, now: bigint, origin?: Inode) {
    this.volume = volume;
    this.ino = origin?.ino ?? volume.nextIno();
    this.nlink = origin?.nlink ?? 0;
    this.atim = origin?.atim ?? now;
    this.mtim = origin?.mtim ?? now;
    this.ctim = origin?.ctim ?? now;
  }

  /** Bytes, as `stat` shows them. */
  abstract get size(): number;

  /** A copy for another volume that shares contents until one side writes. */
  abstract fork(volume: Volume): Inode;

  /** Called when the last name is gone. */
  abstract unlinked(): void;

  /** Notes that the contents changed. */
  touch(now: bigint): void {
    this.mtim = now;
    this.ctim = now;
  }
}

export interface DirectoryEntry {
  readonly name: string;
  inode: Inode;
  /** Position for `fd_readdir`: grows with every new entry and never changes. */
  readonly cookie: number;
}

/** Cookies 1 and 2 belong to `.` and `..`. */
const FIRST_COOKIE = 3;
/** What `stat` calls the size of a directory. */
const DIRECTORY_BYTES = 4096;

export class Directory extends Inode {
  readonly filetype = FILETYPE.DIRECTORY;
  /** The directory that holds this one; null for the root and for a removed one. */
  parent: Directory | null = null;
  /** Tree this one was forked from and not yet completely copied; it must not change. */
  #origin: Directory | null = null;
  readonly #entries = new Map<string, DirectoryEntry>();
  /** The entries as a list, kept until the next change. */
  #list: readonly DirectoryEntry[] | null = null;
  #nextCookie = FIRST_COOKIE;

  override get size(): number {
    return DIRECTORY_BYTES;
  }

  override fork(volume: Volume): Directory {
    const copy = new Directory(volume, this.mtim, this);
    copy.#origin = this;
    copy.#nextCookie = this.#nextCookie;
    return copy;
  }

  lookup(name: string): Inode | undefined {
    const own = this.#entries.get(name);
    if (own !== undefined) return own.inode;
    return this.#origin === null ? undefined : this.#adopt(name)?.inode;
  }

  /** All entries in order of their cookies. */
  list(): readonly DirectoryEntry[] {
    this.#complete();
    this.#list ??= [...this.#entries.values()];
    return this.#list;
  }

  get isEmpty(): boolean {
    this.#complete();
    return this.#entries.size === 0;
  }

  /** Adds a name that is not there yet. In a removed directory nothing can be created: ENOENT. */
  add(name: string, inode: Inode, now: bigint): void {
    if (this.nlink === 0) fail(ERRNO.NOENT);
    this.volume.claimEntry();
    this.#insert(name, inode, now);
  }

  /** Takes a name away; the inode goes when this was its last one. */
  remove(name: string, now: bigint): void {
    this.#erase(name, now);
    this.volume.releaseEntry();
  }

  /** Takes a name from here to where it is not there yet; needs no room for a second one. */
  move(name: string, { directory, as }: { directory: Directory; as: string }, now: bigint): void {
    if (directory.nlink === 0) fail(ERRNO.NOENT);
    // The new name first: an inode without any name would be taken for a removed one.
    directory.#insert(as, this.lookup(name) ?? fail(ERRNO.NOENT), now);
    this.#erase(name, now);
  }

  /** Lets a name that is there stand for another inode, in one step. */
  replace(name: string, inode: Inode, now: bigint): void {
    this.#complete();
    const entry = this.#entries.get(name);
    if (entry === undefined) fail(ERRNO.NOENT);
    const old = entry.inode;
    entry.inode = inode;
    inode.nlink += 1;
    inode.ctim = now;
    this.#detach(old, now);
    if (inode instanceof Directory) this.#attach(inode);
    this.touch(now);
  }

  override unlinked(): void {
    this.parent = null;
  }

  #insert(name: string, inode: Inode, now: bigint): void {
    this.#complete();
    this.#entries.set(name, { name, inode, cookie: this.#nextCookie++ });
    this.#list = null;
    inode.nlink += 1;
    inode.ctim = now;
    if (inode instanceof Directory) this.#attach(inode);
    this.touch(now);
  }

  #erase(name: string, now: bigint): void {
    this.#complete();
    const entry = this.#entries.get(name);
    if (entry === undefined) fail(ERRNO.NOENT);
    this.#entries.delete(name);
    this.#list = null;
    this.#detach(entry.inode, now);
    this.touch(now);
  }

  #attach(child: Directory): void {
    child.parent = this;
    // A directory has its name, its own `.`, and a `..` in each directory below it.
    child.nlink = Math.max(child.nlink, 2);
    this.nlink += 1;
  }

  #detach(inode: Inode, now: bigint): void {
    if (inode instanceof Directory) {
      this.nlink -= 1;
      inode.nlink -= 1;
      // Only the `.` is left, unless a rename has put the directory elsewhere before.
      if (inode.nlink <= 1) inode.nlink = 0;
    } else {
      inode.nlink -= 1;
      inode.ctim = now;
    }
    if (inode.nlink === 0) inode.unlinked();
  }

  /** Copies the one entry that is asked for, so that a large tree costs only what is used of it. */
  #adopt(name: string): DirectoryEntry | undefined {
    this.#origin!.lookup(name);
    const original = this.#origin!.#entries.get(name);
    if (original === undefined) return undefined;
    const from = original.inode;
    const inode = from.nlink > 1 && !(from instanceof Directory)
      ? this.volume.forkOnce(from, () => from.fork(this.volume))
      : from.fork(this.volume);
    if (inode instanceof Directory) inode.parent = this;
    const entry = { name, inode, cookie: original.cookie };
    this.#entries.set(name, entry);
    return entry;
  }

  #complete(): void {
    if (this.#origin === null) return;
    const adopted = new Map(this.#entries);
    // Filled anew, because the order of the map is the order of the cookies.
    this.#entries.clear();
    for (const { name } of this.#origin.list()) {
      const entry = adopted.get(name);
      if (entry === undefined) this.#adopt(name);
      else this.#entries.set(name, entry);
    }
    this.#origin = null;
    this.#list = null;
  }
}

/** A directory with nothing in it, on a volume of its own. */
export function emptyDirectory(options?: VolumeOptions): Directory {
  return rootDirectory(new Volume(options));
}

/** The root of a volume. */
export function rootDirectory(volume: Volume): Directory {
  const root = new Directory(volume, 0n);
  // It has no name in this tree, but it is there.
  root.nlink = 2;
  return root;
}

/**
 * A copy of a tree on a volume of its own, made entry by entry as it is used: its cost does not depend on the
 * size of the tree. `directory` must not change from now on.
 */
export function forkDirectory(directory: Directory, options?: VolumeOptions): Directory {
  return directory.fork(new Volume(options, directory.volume));
}
