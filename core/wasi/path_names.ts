/** What makes, moves and takes away names: create_directory, link, symlink, rename, remove, unlink. */

import { ERRNO, RIGHTS } from "./abi.ts";
import { fail } from "./fault.ts";
import type { FunctionTable } from "./function_table.ts";
import type { Guest } from "./guest.ts";
import { Directory, type Inode } from "./inode.ts";
import { followFlag, type Place, resolvePath } from "./path.ts";
import { rename } from "./rename.ts";
import { PATH_MAX_BYTES, Symlink } from "./symlink.ts";

/** Where a path leads when its last name itself is meant. */
function placeOf(guest: Guest, fd: number, rights: number, path: string): Place {
  return resolvePath(guest.descriptors.directory(fd, rights).inode, path, "never");
}

/** Gives a new inode its name; EEXIST when the name is taken, ENOENT for a file with a slash after it. */
function addNew(guest: Guest, place: Place, inode: () => Inode): void {
  if (place.inode !== undefined) fail(ERRNO.EXIST);
  const made = inode();
  if (place.slash && !(made instanceof Directory)) fail(ERRNO.NOENT);
  place.parent.add(place.name!, made, guest.now());
}

function removeDirectory(guest: Guest, place: Place): void {
  if (place.inode === undefined) fail(ERRNO.NOENT);
  if (!(place.inode instanceof Directory)) fail(ERRNO.NOTDIR);
  if (place.name === null) fail(ERRNO.INVAL);
  if (!place.inode.isEmpty) fail(ERRNO.NOTEMPTY);
  place.parent.remove(place.name, guest.now());
}

function unlinkFile(guest: Guest, place: Place): void {
  if (place.inode === undefined) fail(ERRNO.NOENT);
  if (place.inode instanceof Directory || place.name === null) fail(ERRNO.ISDIR);
  place.parent.remove(place.name, guest.now());
}

function link(guest: Guest, old: Place, place: Place): void {
  if (old.inode === undefined) fail(ERRNO.NOENT);
  if (old.inode instanceof Directory) fail(ERRNO.PERM);
  if (old.inode.volume !== place.parent.volume) fail(ERRNO.XDEV);
  const { inode } = old;
  addNew(guest, place, () => inode);
}

function symlink(guest: Guest, target: string, place: Place): void {
  if (target === "") fail(ERRNO.NOENT);
  if (target.length > PATH_MAX_BYTES) fail(ERRNO.NAMETOOLONG);
  if (target.includes("\0")) fail(ERRNO.INVAL);
  // It could never be followed: paths do not leave the directory they start from.
  if (target.startsWith("/")) fail(ERRNO.NOTCAPABLE);
  addNew(guest, place, () => new Symlink(place.parent.volume, guest.now(), target));
}

export const PATH_NAMES: FunctionTable = {
  path_create_directory(guest, fd: number, path: number, length: number) {
    const place = placeOf(guest, fd, RIGHTS.PATH_CREATE_DIRECTORY, guest.memory.string(path, length));
    addNew(guest, place, () => new Directory(place.parent.volume, guest.now()));
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
    const old = resolvePath(from, guest.memory.string(oldPath, oldLength), followFlag(lookupflags));
    link(guest, old, placeOf(guest, fd, RIGHTS.PATH_LINK_TARGET, guest.memory.string(path, length)));
    return ERRNO.SUCCESS;
  },
  path_symlink(guest, target: number, targetLength: number, fd: number, path: number, length: number) {
    const place = placeOf(guest, fd, RIGHTS.PATH_SYMLINK, guest.memory.string(path, length));
    symlink(guest, guest.memory.string(target, targetLength), place);
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
