/** Moves a name, as rename(2) does: all or nothing, replacing what is there if it is of the same kind. */

import { ERRNO } from "./abi.ts";
import { fail } from "./fault.ts";
import { Directory, type Inode } from "./inode.ts";
import { isDots, type Place } from "./path.ts";
import { requireWritable } from "./read_only.ts";

/** Errors come in the order in which Linux looks for them. */
export function rename(from: Place, to: Place, now: bigint): void {
  if (from.parent.volume !== to.parent.volume) fail(ERRNO.XDEV);
  if (isDots(from.name) || isDots(to.name)) fail(ERRNO.BUSY);
  requireWritable(from.parent.volume);
  const { inode } = from;
  if (inode === undefined) fail(ERRNO.NOENT);
  if (!(inode instanceof Directory) && (from.slash || to.slash)) fail(ERRNO.NOTDIR);
  if (isAbove(inode, to.parent)) fail(ERRNO.INVAL);
  if (to.inode !== undefined && isAbove(to.inode, from.parent)) fail(ERRNO.NOTEMPTY);
  if (inode === to.inode) return;
  if (to.inode !== undefined) checkReplaced(inode, to.inode);
  if (to.inode === undefined) {
    from.parent.move(from.name, { directory: to.parent, as: to.name }, now);
  } else {
    // In this order, as an inode without any name would be taken for a removed one.
    to.parent.replace(to.name, inode, now);
    from.parent.remove(from.name, now);
  }
}

/** Whether `directory` is `inode` or lies somewhere below it. */
function isAbove(inode: Inode, directory: Directory): boolean {
  if (!(inode instanceof Directory)) return false;
  for (let above: Directory | null = directory; above !== null; above = above.parent) {
    if (above === inode) return true;
  }
  return false;
}

function checkReplaced(inode: Inode, replaced: Inode): void {
  if (inode instanceof Directory) {
    if (!(replaced instanceof Directory)) fail(ERRNO.NOTDIR);
    if (!replaced.isEmpty) fail(ERRNO.NOTEMPTY);
  } else if (replaced instanceof Directory) {
    fail(ERRNO.ISDIR);
  }
}
