/** path_filestat_get, path_filestat_set_times and path_readlink. */

import { ERRNO, RIGHTS } from "./abi.ts";
import { fail } from "./fault.ts";
import { type FilestatLayout, filestatOfPreview1, setTimes } from "./filestat.ts";
import type { FunctionTable } from "./function_table.ts";
import type { Guest } from "./guest.ts";
import { followFlag, resolveExisting } from "./path.ts";
import { Symlink } from "./symlink.ts";

/** path_filestat_get in one of the two layouts. */
export function pathFilestatGet(layout: FilestatLayout) {
  return (guest: Guest, fd: number, flags: number, path: number, length: number, out: number): number => {
    const directory = guest.descriptors.directory(fd, RIGHTS.PATH_FILESTAT_GET).inode;
    layout(guest, out, resolveExisting(directory, guest.memory.string(path, length), followFlag(flags)));
    return ERRNO.SUCCESS;
  };
}

export const PATH_STAT: FunctionTable = {
  path_filestat_get: pathFilestatGet(filestatOfPreview1),
  path_filestat_set_times(
    guest,
    fd: number,
    lookupflags: number,
    path: number,
    length: number,
    atim: bigint,
    mtim: bigint,
    flags: number,
  ) {
    const directory = guest.descriptors.directory(fd, RIGHTS.PATH_FILESTAT_SET_TIMES).inode;
    const follow = followFlag(lookupflags);
    const inode = resolveExisting(directory, guest.memory.string(path, length), follow);
    setTimes(guest, inode, { atim, mtim, flags });
    return ERRNO.SUCCESS;
  },
  // Gives as much of the target as fits; no room at all is EINVAL, as Linux has it.
  path_readlink(guest, fd: number, path: number, length: number, pointer: number, size: number, out: number) {
    const directory = guest.descriptors.directory(fd, RIGHTS.PATH_READLINK).inode;
    const inode = resolveExisting(directory, guest.memory.string(path, length), "before slash");
    if (!(inode instanceof Symlink) || size === 0) fail(ERRNO.INVAL);
    const buffer = guest.memory.bytes(pointer, size);
    const fitting = inode.target.subarray(0, buffer.length);
    buffer.set(fitting);
    guest.memory.setU32(out, fitting.length);
    return ERRNO.SUCCESS;
  },
};
