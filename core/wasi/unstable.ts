/** Where wasi_unstable, the snapshot before preview 1, differs: filestat, subscriptions and whence. */

import { ERRNO, WHENCE } from "./abi.ts";
import { fail } from "./fault.ts";
import { POSITION_BYTES, seek } from "./fd_io.ts";
import { filestatGet } from "./fd_stat.ts";
import { filestatOfUnstable } from "./filestat.ts";
import type { FunctionTable } from "./function_table.ts";
import { pathFilestatGet } from "./path_stat.ts";
import { pollOneoff, SUBSCRIPTION_OF_UNSTABLE } from "./poll.ts";

/** Its order of whence. */
const WHENCES = [WHENCE.CUR, WHENCE.END, WHENCE.SET];

export const UNSTABLE_CHANGES: FunctionTable = {
  fd_filestat_get: filestatGet(filestatOfUnstable),
  fd_seek(guest, fd: number, offset: bigint, whence: number, out: number) {
    guest.memory.bytes(out, POSITION_BYTES);
    guest.memory.setU64(out, seek(guest, fd, offset, WHENCES[whence] ?? fail(ERRNO.INVAL)));
    return ERRNO.SUCCESS;
  },
  path_filestat_get: pathFilestatGet(filestatOfUnstable),
  poll_oneoff: pollOneoff(SUBSCRIPTION_OF_UNSTABLE),
};
