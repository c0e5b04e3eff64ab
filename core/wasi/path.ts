/** Finds what a path of the guest stands for. No path leaves the directory it starts from. */

import { ERRNO, LOOKUP_SYMLINK_FOLLOW } from "./abi.ts";
import { fail } from "./fault.ts";
import { Directory, type Inode } from "./inode.ts";
import { requireShort, Symlink } from "./symlink.ts";

/** Longest name of an entry, bytes of UTF-8 (NAME_MAX of Linux). */
export const NAME_MAX_BYTES = 255;
/** Symbolic links that one path may lead through (as Linux has it); beyond it is ELOOP. */
const SYMLINKS_MAX = 40;
/** Names of up to this many UTF-16 units cannot exceed NAME_MAX_BYTES. */
const NAME_SURELY_SHORT = NAME_MAX_BYTES / 3;

const ENCODER = new TextEncoder();

/** Where a path leads. */
export interface Place {
  /** The directory that holds (or would hold) the last name. */
  readonly parent: Directory;
  /** The last name; `.` and `..` stand for `inode` itself, which is then `parent`. */
  readonly name: string;
  /** What is there; undefined when nothing is. */
  readonly inode: Inode | undefined;
  /** Whether the path ended in a slash, so that only a directory will do. */
  readonly slash: boolean;
}

/** The state of one resolution: directories entered so far, and names still to go (last first). */
interface Walk {
  readonly entered: Directory[];
  readonly rest: string[];
  links: number;
}

/**
 * Whether a symbolic link at the end is followed; "never" is for what changes names: `rmdir link/` fails. "unless
 * slash" is for what makes files, which no path with a slash at its end can name.
 */
export type Follow = "always" | "before slash" | "unless slash" | "never";

/** The answer to the lookupflags of a call. */
export function followFlag(lookupflags: number): Follow {
  return (lookupflags & LOOKUP_SYMLINK_FOLLOW) !== 0 ? "always" : "before slash";
}

/** As `findPlace`, but ENOTDIR where the path ends in a slash and leads to something that is no directory. */
export function resolvePath(start: Directory, path: string, follow: Follow): Place {
  const place = findPlace(start, path, follow);
  if (place.slash && place.inode !== undefined && !(place.inode instanceof Directory)) fail(ERRNO.NOTDIR);
  return place;
}

/**
 * Resolves `path` from `start`; symbolic links on the way are followed. Fails with ENOTCAPABLE when the path is
 * absolute or climbs above `start`. What a slash at the end means is left to the caller.
 */
export function findPlace(start: Directory, path: string, follow: Follow): Place {
  if (path === "") fail(ERRNO.NOENT);
  requireShort(path);
  if (path.includes("\0")) fail(ERRNO.INVAL);
  const walk: Walk = { entered: [start], rest: [], links: 0 };
  pushNames(walk, path);
  let slash = path.endsWith("/");
  for (;;) {
    const name = walk.rest.pop()!;
    const last = walk.rest.length === 0;
    if (isDots(name)) {
      if (name === "..") climb(walk);
      if (last) return { parent: top(walk), name, inode: top(walk), slash };
      continue;
    }
    requireShortName(name);
    const inode = top(walk).lookup(name);
    if (inode instanceof Symlink && (!last || follows(follow, slash))) {
      if (last) slash ||= inode.path.endsWith("/");
      walk.links += 1;
      if (walk.links > SYMLINKS_MAX) fail(ERRNO.LOOP);
      pushNames(walk, inode.path);
    } else if (last) {
      return { parent: top(walk), name, inode, slash };
    } else if (inode instanceof Directory) {
      walk.entered.push(inode);
    } else {
      fail(inode === undefined ? ERRNO.NOENT : ERRNO.NOTDIR);
    }
  }
}

/** As `resolvePath`, for what has to exist. */
export function resolveExisting(start: Directory, path: string, follow: Follow): Inode {
  return resolvePath(start, path, follow).inode ?? fail(ERRNO.NOENT);
}

function follows(follow: Follow, slash: boolean): boolean {
  return follow === "always" || follow === (slash ? "before slash" : "unless slash");
}

function requireShortName(name: string): void {
  if (name.length > NAME_SURELY_SHORT && ENCODER.encode(name).length > NAME_MAX_BYTES) {
    fail(ERRNO.NAMETOOLONG);
  }
}

/** Puts the names of `path` before those still to go; `.` stands in where there is none. */
function pushNames(walk: Walk, path: string): void {
  if (path.startsWith("/")) fail(ERRNO.NOTCAPABLE);
  const names = path.split("/");
  const before = walk.rest.length;
  for (let index = names.length - 1; index >= 0; index--) {
    if (names[index] !== "") walk.rest.push(names[index]!);
  }
  if (walk.rest.length === before) walk.rest.push(".");
}

function climb(walk: Walk): void {
  if (walk.entered.length === 1) fail(ERRNO.NOTCAPABLE);
  walk.entered.pop();
}

function top(walk: Walk): Directory {
  return walk.entered[walk.entered.length - 1]!;
}

/** Whether a name is none that an entry can have. */
export function isDots(name: string): boolean {
  return name === "." || name === "..";
}
