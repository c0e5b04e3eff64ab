/** The state of one run: what the functions of the interface work on. */

import { DescriptorTable, InputStream, OpenDirectory, OutputStream } from "./descriptors.ts";
import { GuestMemory } from "./guest_memory.ts";
import type { Inode } from "./inode.ts";
import type { Ending, Program } from "./program.ts";
import type { Volume } from "./volume.ts";

/** Thrown through the guest to end it; `Guest.ending` says how. */
export class GuestEnd {}

export class Guest {
  readonly memory = new GuestMemory();
  readonly descriptors: DescriptorTable;
  /** Set once the guest has ended itself. A guest that catches the end is ended again at its next call. */
  ending: Ending | null = null;
  /** Where the CPU-time clocks start. */
  readonly startNs: bigint;
  /** What they leave out: the time this guest has slept. */
  idleNs = 0n;
  readonly #volumes: Volume[] = [];

  constructor(readonly program: Program) {
    this.startNs = program.clock.monotonicNs();
    this.descriptors = new DescriptorTable([
      new InputStream(program.stdin),
      new OutputStream(program.stdout),
      new OutputStream(program.stderr),
      ...program.preopens.map(({ path, directory }) => OpenDirectory.preopen(directory, path)),
    ], program.maxDescriptors);
  }

  /** Time for inodes. */
  now(): bigint {
    return this.program.clock.realtimeNs();
  }

  /** Device number of an inode: one for each volume, in the order the guest meets them. */
  device(inode: Inode): bigint {
    const known = this.#volumes.indexOf(inode.volume);
    return BigInt(known >= 0 ? known + 1 : this.#volumes.push(inode.volume));
  }

  end(ending: Ending): never {
    this.ending = ending;
    throw new GuestEnd();
  }
}
