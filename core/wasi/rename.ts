/** Moves a name, as rename(2) does: all or nothing, replacing what is there if it is of the same kind. */

import { ERRNO } from "./abi.ts";
import { fail } from "./fault.ts";
import { Directory, type Inode } from "./inode.ts";
import type { Place } from "./path.ts";

export function rename(from: Place, to: Place, now: bigint): void {
  const { inode } = from;
  if (inode === undefined) fail(ERRNO.NOENT);
  if (from.name === null || to.name === null) fail(ERRNO.BUSY);
  if (inode.volume !== to.parent.volume) fail(ERRNO.XDEV);
  if (inode === to.inode) return;
  if (inode instanceof Directory) checkDirectoryMove(inode, to);
  else checkFileMove(to);
  // The new name first: an inode without any name would be taken for a removed one.
  if (to.inode === undefined) to.parent.add(to.name, inode, now);
  else to.parent.replace(to.name, inode, now);
  from.parent.remove(from.name, now);
}

function checkDirectoryMove(directory: Directory, to: Place): void {
  for (let above: Directory | null = to.parent; above !== null; above = above.parent) {
    if (above === directory) fail(ERRNO.INVAL);
  }
  const replaced: Inode | undefined = to.inode;
  if (replaced === undefined) return;
  if (!(replaced instanceof Directory)) fail(ERRNO.NOTDIR);
  if (!replaced.isEmpty) fail(ERRNO.NOTEMPTY);
}

function checkFileMove(to: Place): void {
  if (to.inode instanceof Directory) fail(ERRNO.ISDIR);
  if (to.slash) fail(ERRNO.NOTDIR);
}
