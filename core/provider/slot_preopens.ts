/** The directories of one task: copies of unpacked ZIPs, under one quota. */

import { WasimoffError } from "../errors.ts";
import { emptyDirectory, forkDirectory } from "../wasi/inode.ts";
import type { Preopen } from "../wasi/program.ts";
import { Quota } from "../wasi/quota.ts";
import { ROOTFS_LIMITS } from "../wasi/rootfs.ts";
import type { SlotFiles } from "./slot_files.ts";
import type { RunHeader } from "./slot_headers.ts";

/** Entries of all ZIPs of a task together, as a guest that looks at all of them makes copies: some 130 MB. */
const MAX_TASK_ENTRIES = 262_144;
/** Unpacked size of all ZIPs of a task together: as much as one may have. */
const MAX_TASK_BYTES = ROOTFS_LIMITS.maxBytes;

/** Rejects with `failed_precondition` when a ZIP is unfit, or all of them together are too large. */
export async function openPreopens(
  { preopens, limits }: Pick<RunHeader, "preopens" | "limits">,
  files: SlotFiles,
): Promise<Preopen[]> {
  const quota = new Quota({ maxBytes: limits.diskBytes, maxEntries: limits.inodes });
  const opened: Preopen[] = [];
  let [entries, bytes] = [0, 0];
  for (const { guest, zip, readOnly } of preopens) {
    const options = { quota, readOnly };
    if (zip === null) {
      opened.push({ path: guest, directory: emptyDirectory(options) });
      continue;
    }
    const rootfs = await files.rootfs(zip);
    entries += rootfs.entries;
    bytes += rootfs.contentBytes;
    if (entries > MAX_TASK_ENTRIES) throw tooMuch(`${MAX_TASK_ENTRIES} files and directories`);
    if (bytes > MAX_TASK_BYTES) throw tooMuch(`${MAX_TASK_BYTES} bytes when unpacked`);
    opened.push({ path: guest, directory: forkDirectory(rootfs.root, options) });
  }
  return opened;
}

function tooMuch(what: string): WasimoffError {
  return new WasimoffError("failed_precondition", `the ZIPs of the task hold more than ${what}`);
}
