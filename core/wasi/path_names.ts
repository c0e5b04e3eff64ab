/** What makes, moves and takes away names: create_directory, link, symlink, rename, remove, unlink. */

import { ERRNO, RIGHTS } from "./abi.ts";
import { fail } from "./fault.ts";
import type { FunctionTable } from "./function_table.ts";
import type { Guest } from "./guest.ts";
import { Directory, type Inode } from "./inode.ts";
import { findPlace, followFlag, isDots, type Place, resolveExisting } from "./path.ts";
import { requireWritable } from "./read_only.ts";
import { rename } from "./rename.ts";
import { Symlink } from "./symlink.ts";

/** Where a path leads when its last name itself is meant. */
function placeOf(guest: Guest, fd: number, rights: number, path: string): Place {
  return findPlace(guest.descriptors.directory(fd, rights).inode, path, "never");
}

/** EEXIST when the name is taken, ENOENT for anything but a directory with a slash after it; then EROFS. */
function requireFree(place: Place, directory: boolean): void {
  if (place.inode !== undefined) fail(ERRNO.EXIST);
  if (place.slash && !directory) fail(ERRNO.NOENT);
  requireWritable(place.parent.volume);
}

function removeDirectory(guest: Guest, { parent, name, inode }: Place): void {
  if (isDots(name)) fail(name === "." ? ERRNO.INVAL : ERRNO.NOTEMPTY);
  requireWritable(parent.volume);
  if (inode === undefined) fail(ERRNO.NOENT);
  if (!(inode instanceof Directory)) fail(ERRNO.NOTDIR);
  if (!inode.isEmpty) fail(ERRNO.NOTEMPTY);
  parent.remove(name, guest.now());
}

function unlinkFile(guest: Guest, { parent, name, inode, slash }: Place): void {
  if (isDots(name)) fail(ERRNO.ISDIR);
  requireWritable(parent.volume);
  if (inode === undefined) fail(ERRNO.NOENT);
  if (inode instanceof Directory) fail(ERRNO.ISDIR);
  if (slash) fail(ERRNO.NOTDIR);
  parent.remove(name, guest.now());
}

function link(guest: Guest, inode: Inode, place: Place): void {
  requireFree(place, false);
  if (inode.volume !== place.parent.volume) fail(ERRNO.XDEV);
  if (inode instanceof Directory) fail(ERRNO.PERM);
  place.parent.add(place.name, inode, guest.now());
}

/** What can never be followed is refused: paths do not leave the directory they start from. */
function requireTarget(target: string): void {
  if (target === "") fail(ERRNO.NOENT);
  if (target.includes("\0")) fail(ERRNO.INVAL);
  if (target.startsWith("/")) fail(ERRNO.NOTCAPABLE);
}

function symlink(guest: Guest, target: string, place: Place): void {
  requireFree(place, false);
  const made = new Symlink(place.parent.volume, guest.now(), target);
  try {
    place.parent.add(place.name, made, guest.now());
  } catch (error) {
    // Gives back the bytes of its target.
    made.unlinked();
    throw error;
  }
}

export const PATH_NAMES: FunctionTable = {
  path_create_directory(guest, fd: number, path: number, length: number) {
    const place = placeOf(guest, fd, RIGHTS.PATH_CREATE_DIRECTORY, guest.memory.string(path, length));
    requireFree(place, true);
    place.parent.add(place.name, new Directory(place.parent.volume, guest.now()), guest.now());
    return ERRNO.SUCCESS;
  },
  path_remove_directory(guest, fd: number, path: number, length: number) {
    removeDirectory(
      guest,
      placeOf(guest, fd, RIGHTS.PATH_REMOVE_DIRECTORY, guest.memory.string(path, length)),
    );
    return ERRNO.SUCCESS;
  },
  path_unlink_file(guest, fd: number, path: number, length: number) {
    unlinkFile(guest, placeOf(guest, fd, RIGHTS.PATH_UNLINK_FILE, guest.memory.string(path, length)));
    return ERRNO.SUCCESS;
  },
  path_link(
    guest,
    oldFd: number,
    lookupflags: number,
    oldPath: number,
    oldLength: number,
    fd: number,
    path: number,
    length: number,
  ) {
    const from = guest.descriptors.directory(oldFd, RIGHTS.PATH_LINK_SOURCE).inode;
    const old = resolveExisting(from, guest.memory.string(oldPath, oldLength), followFlag(lookupflags));
    link(guest, old, placeOf(guest, fd, RIGHTS.PATH_LINK_TARGET, guest.memory.string(path, length)));
    return ERRNO.SUCCESS;
  },
  path_symlink(guest, target: number, targetLength: number, fd: number, path: number, length: number) {
    const text = guest.memory.string(target, targetLength);
    requireTarget(text);
    symlink(guest, text, placeOf(guest, fd, RIGHTS.PATH_SYMLINK, guest.memory.string(path, length)));
    return ERRNO.SUCCESS;
  },
  path_rename(
    guest,
    oldFd: number,
    oldPath: number,
    oldLength: number,
    fd: number,
    path: number,
    length: number,
  ) {
    const old = placeOf(guest, oldFd, RIGHTS.PATH_RENAME_SOURCE, guest.memory.string(oldPath, oldLength));
    const place = placeOf(guest, fd, RIGHTS.PATH_RENAME_TARGET, guest.memory.string(path, length));
    rename(old, place, guest.now());
    return ERRNO.SUCCESS;
  },
};
