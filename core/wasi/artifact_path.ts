/** Which directory of a guest an artifact's path is about, as the guest's own C library decides it. */

import type { Directory } from "./inode.ts";
import type { Preopen } from "./program.ts";

/** A path inside one directory of the guest. */
export interface ArtifactPath {
  readonly root: Directory;
  /** Parts of the names in the ZIP that stand for the directory itself. */
  readonly prefix: readonly string[];
  /** Names and patterns below it. */
  readonly parts: readonly string[];
  /** Whether only a directory will do, as the path ends in a slash. */
  readonly slash: boolean;
}

/**
 * The directory with the longest path that `path` starts with; where two have the same one, that which is absolute
 * as `path` is, or the first. A relative path that starts with none of them is meant in the first directory. Null
 * when the path leads nowhere.
 */
export function locateArtifact(preopens: readonly Preopen[], path: string): ArtifactPath | null {
  if (path === "") return null;
  const absolute = path.startsWith("/");
  const all = normalize(path);
  let found = absolute ? undefined : preopens[0];
  let [length, score] = [0, -1];
  for (const preopen of preopens) {
    const own = normalize(preopen.path);
    const rank = 2 * own.length + (preopen.path.startsWith("/") === absolute ? 1 : 0);
    if (rank <= score || !own.every((part, index) => part === all[index])) continue;
    [found, length, score] = [preopen, own.length, rank];
  }
  const parts = all.slice(length);
  if (found === undefined || parts.includes("..")) return null;
  const prefix = all.slice(0, length).filter((part) => part !== "..");
  return { root: found.directory, prefix, parts, slash: path.endsWith("/") };
}

/** The parts of a path without `.`, doubled slashes, and those that a `..` takes back. */
function normalize(path: string): string[] {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === ".." && parts.length > 0 && parts.at(-1) !== "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return parts;
}
