/** A symbolic link. Where it leads is only asked when a path is resolved. */

import { FILETYPE } from "./abi.ts";
import { Inode } from "./inode.ts";
import type { Volume } from "./volume.ts";

/** Longest target of a symbolic link and longest path, bytes of UTF-8 (PATH_MAX of Linux). */
export const PATH_MAX_BYTES = 4096;

const ENCODER = new TextEncoder();

export class Symlink extends Inode {
  readonly filetype = FILETYPE.SYMBOLIC_LINK;
  readonly target: Uint8Array;

  constructor(volume: Volume, now: bigint, readonly path: string, origin?: Symlink) {
    super(volume, now, origin);
    this.target = origin?.target ?? ENCODER.encode(path);
    if (origin === undefined) volume.claimBytes(this.target.length);
  }

  override get size(): number {
    return this.target.length;
  }

  override fork(volume: Volume): Symlink {
    return new Symlink(volume, this.mtim, this.path, this);
  }

  override unlinked(): void {
    this.volume.claimBytes(-this.target.length);
  }
}
