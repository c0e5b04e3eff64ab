/** fd_close, fd_renumber and fd_prestat_*. */

import { ERRNO, PREOPENTYPE_DIR, PRESTAT_BYTES } from "./abi.ts";
import { OpenDirectory } from "./descriptors.ts";
import { fail } from "./fault.ts";
import type { FunctionTable } from "./function_table.ts";
import type { Guest } from "./guest.ts";

/** EBADF for what was not there at the start: wasi-libc looks for preopens until it meets one. */
function preopenPath(guest: Guest, fd: number): Uint8Array {
  const descriptor = guest.descriptors.get(fd);
  return (descriptor instanceof OpenDirectory ? descriptor.preopenPath : null) ?? fail(ERRNO.BADF);
}

export const FD_TABLE: FunctionTable = {
  fd_close(guest, fd: number) {
    guest.descriptors.close(fd);
    return ERRNO.SUCCESS;
  },
  fd_renumber(guest, from: number, to: number) {
    guest.descriptors.renumber(from, to);
    return ERRNO.SUCCESS;
  },
  fd_prestat_get(guest, fd: number, out: number) {
    const path = preopenPath(guest, fd);
    guest.memory.bytes(out, PRESTAT_BYTES).fill(PREOPENTYPE_DIR);
    guest.memory.setU32(out + 4, path.length);
    return ERRNO.SUCCESS;
  },
  fd_prestat_dir_name(guest, fd: number, pointer: number, length: number) {
    const path = preopenPath(guest, fd);
    if (length >>> 0 < path.length) fail(ERRNO.NAMETOOLONG);
    guest.memory.bytes(pointer, path.length).set(path);
    return ERRNO.SUCCESS;
  },
};
