/** path_open: finds or makes a file, checks what it may be opened for, gives it a descriptor. */

import { ERRNO, FDFLAGS_ALL, OFLAGS, OFLAGS_ALL, RIGHTS } from "./abi.ts";
import { OpenDirectory, OpenFile } from "./descriptors.ts";
import { fail } from "./fault.ts";
import { rightsOf } from "./fd_stat.ts";
import { File } from "./file.ts";
import type { FunctionTable } from "./function_table.ts";
import type { Guest } from "./guest.ts";
import { Directory, type Inode } from "./inode.ts";
import { findPlace, followFlag, isDots, type Place, resolveExisting } from "./path.ts";
import { requireWritable } from "./read_only.ts";

/** What is asked for, decoded. */
interface Wish {
  readonly oflags: number;
  readonly rights: number;
  readonly inheriting: number;
  readonly fdflags: number;
}

/** The rights that the directory must have for these flags. */
function neededRights(oflags: number): number {
  let rights: number = RIGHTS.PATH_OPEN;
  if ((oflags & OFLAGS.CREAT) !== 0) rights |= RIGHTS.PATH_CREATE_FILE;
  if ((oflags & OFLAGS.TRUNC) !== 0) rights |= RIGHTS.PATH_FILESTAT_SET_SIZE;
  return rights;
}

/** What is there, or a new file. A slash at the end asks for a directory, which this cannot make: EISDIR. */
function openOrCreate(guest: Guest, place: Place, exclusive: boolean): Inode {
  if (place.slash && !isDots(place.name)) fail(ERRNO.ISDIR);
  if (place.inode !== undefined) return exclusive ? fail(ERRNO.EXIST) : place.inode;
  requireWritable(place.parent.volume);
  const now = guest.now();
  const file = new File(place.parent.volume, now);
  place.parent.add(place.name, file, now);
  return file;
}

function openFile(guest: Guest, file: File, wish: Wish): OpenFile {
  if ((wish.oflags & OFLAGS.DIRECTORY) !== 0) fail(ERRNO.NOTDIR);
  const truncates = (wish.oflags & OFLAGS.TRUNC) !== 0;
  if (truncates || (wish.rights & RIGHTS.FD_WRITE) !== 0) requireWritable(file.volume);
  if (truncates) {
    file.resize(0);
    file.touch(guest.now());
  }
  return new OpenFile(file, wish.rights, wish.inheriting, wish.fdflags);
}

function openDirectory(directory: Directory, wish: Wish): OpenDirectory {
  if ((wish.oflags & (OFLAGS.CREAT | OFLAGS.TRUNC)) !== 0) fail(ERRNO.ISDIR);
  if ((wish.rights & RIGHTS.FD_WRITE) !== 0) fail(ERRNO.ISDIR);
  return new OpenDirectory(directory, wish.rights, wish.inheriting, wish.fdflags);
}

function open(guest: Guest, dirfd: number, lookupflags: number, path: string, wish: Wish): number {
  const directory = guest.descriptors.directory(dirfd, neededRights(wish.oflags));
  // What is opened through a directory can do no more than the directory passes on.
  if (((wish.rights | wish.inheriting) & ~directory.inheriting) !== 0) fail(ERRNO.NOTCAPABLE);
  if ((wish.fdflags & ~FDFLAGS_ALL) !== 0 || (wish.oflags & ~OFLAGS_ALL) !== 0) fail(ERRNO.INVAL);
  const makesDirectory = OFLAGS.CREAT | OFLAGS.DIRECTORY;
  if ((wish.oflags & makesDirectory) === makesDirectory) fail(ERRNO.INVAL);
  guest.descriptors.requireRoom();
  const inode = findInode(guest, directory.inode, lookupflags, { path, oflags: wish.oflags });
  if (inode instanceof File) return guest.descriptors.add(openFile(guest, inode, wish));
  if (inode instanceof Directory) return guest.descriptors.add(openDirectory(inode, wish));
  // A symbolic link that was not to be followed.
  return fail((wish.oflags & OFLAGS.DIRECTORY) !== 0 ? ERRNO.NOTDIR : ERRNO.LOOP);
}

function findInode(
  guest: Guest,
  start: Directory,
  lookupflags: number,
  { path, oflags }: { path: string; oflags: number },
): Inode {
  if ((oflags & OFLAGS.CREAT) === 0) return resolveExisting(start, path, followFlag(lookupflags));
  const exclusive = (oflags & OFLAGS.EXCL) !== 0;
  const follows = !exclusive && followFlag(lookupflags) === "always";
  const follow = follows ? "unless slash" : "never";
  return openOrCreate(guest, findPlace(start, path, follow), exclusive);
}

export const PATH_OPEN: FunctionTable = {
  path_open(
    guest,
    dirfd: number,
    lookupflags: number,
    pathPointer: number,
    pathLength: number,
    oflags: number,
    rights: bigint,
    inheriting: bigint,
    fdflags: number,
    out: number,
  ) {
    const path = guest.memory.string(pathPointer, pathLength);
    const wish = { oflags, rights: rightsOf(rights), inheriting: rightsOf(inheriting), fdflags };
    // Written before, so that a bad pointer cannot leave a descriptor nobody knows.
    guest.memory.setU32(out, 0);
    guest.memory.setU32(out, open(guest, dirfd, lookupflags, path, wish));
    return ERRNO.SUCCESS;
  },
};
