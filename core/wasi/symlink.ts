/** A symbolic link. Where it leads is only asked when a path is resolved. */

import { ERRNO, FILETYPE } from "./abi.ts";
import { fail } from "./fault.ts";
import { Inode } from "./inode.ts";
import type { Volume } from "./volume.ts";

/** Longest target of a symbolic link and longest path, bytes of UTF-8 with their terminator (PATH_MAX of Linux). */
export const PATH_MAX_BYTES = 4096;
/** Most bytes of UTF-8 that one UTF-16 unit takes. */
const UNIT_MAX_BYTES = 3;

const ENCODER = new TextEncoder();

/** Fails with ENAMETOOLONG when a path or a target has no room for its terminator. */
export function requireShort(path: string): void {
  if (path.length * UNIT_MAX_BYTES < PATH_MAX_BYTES) return;
  if (path.length >= PATH_MAX_BYTES || ENCODER.encode(path).length >= PATH_MAX_BYTES) fail(ERRNO.NAMETOOLONG);
}

export class Symlink extends Inode {
  readonly filetype = FILETYPE.SYMBOLIC_LINK;
  readonly target: Uint8Array;
  /** What a fork shares with its origin is not counted in its volume. */
  #claimedBytes = 0;

  constructor(volume: Volume, now: bigint, readonly path: string, origin?: Symlink) {
    super(volume, now, origin);
    this.target = origin?.target ?? ENCODER.encode(path);
    if (origin !== undefined) return;
    volume.claimTarget(this.target.length);
    this.#claimedBytes = this.target.length;
  }

  override get size(): number {
    return this.target.length;
  }

  override fork(volume: Volume): Symlink {
    return new Symlink(volume, this.mtim, this.path, this);
  }

  override unlinked(): void {
    this.volume.releaseTarget(this.#claimedBytes);
    this.#claimedBytes = 0;
  }
}
