/** Open descriptors of a guest: their table, their flags and what they allow. */

import {
  DIRECTORY_RIGHTS,
  ERRNO,
  FILE_RIGHTS,
  FILETYPE,
  type Filetype,
  RIGHTS,
  RIGHTS_ALL,
  STREAM_RIGHTS,
} from "./abi.ts";
import { fail } from "./fault.ts";
import type { File } from "./file.ts";
import type { Directory } from "./inode.ts";
import type { GuestInput, GuestOutput } from "./program.ts";

/** State that every descriptor has: rights of its own, rights of what is opened through it, fdflags. */
abstract class Descriptor {
  abstract readonly filetype: Filetype;

  constructor(public rights: number, public inheriting: number, public flags: number) {}

  /** Fails unless all of `rights` are there: EBADF, as POSIX has it, for reading and writing. */
  require(rights: number): void {
    const missing = rights & ~this.rights;
    if (missing === 0) return;
    fail((missing & (RIGHTS.FD_READ | RIGHTS.FD_WRITE)) !== 0 ? ERRNO.BADF : ERRNO.NOTCAPABLE);
  }

  /** Called when the descriptor leaves the table. */
  close(): void {}
}

export class OpenFile extends Descriptor {
  readonly filetype = FILETYPE.REGULAR_FILE;
  position = 0;

  constructor(readonly inode: File, rights: number, inheriting: number, flags: number) {
    super(rights & FILE_RIGHTS, inheriting & FILE_RIGHTS, flags);
    inode.opened();
  }

  override close(): void {
    this.inode.closed();
  }
}

export class OpenDirectory extends Descriptor {
  readonly filetype = FILETYPE.DIRECTORY;

  /** `preopenPath` is the path as the guest sees it; null unless the directory was there at the start. */
  constructor(
    readonly inode: Directory,
    rights: number,
    inheriting: number,
    flags: number,
    readonly preopenPath: Uint8Array | null = null,
  ) {
    super(rights & DIRECTORY_RIGHTS, inheriting, flags);
  }

  static preopen(directory: Directory, path: string): OpenDirectory {
    return new OpenDirectory(directory, RIGHTS_ALL, RIGHTS_ALL, 0, new TextEncoder().encode(path));
  }
}

/** Standard streams look like terminals, so that guests write whole lines at once when they print. */
export class InputStream extends Descriptor {
  readonly filetype = FILETYPE.CHARACTER_DEVICE;
  /** Whether the guest has read the end. */
  ended = false;
  /** Called when input arrives that `isReady` has been asked for. */
  onReady: (() => void) | null = null;
  #awaited: Promise<void> | null = null;

  constructor(readonly input: GuestInput) {
    super(STREAM_RIGHTS & ~RIGHTS.FD_WRITE, 0, 0);
  }

  /** Whether a read would answer at once. Failed input is ready, too: the read will say what is wrong. */
  isReady(): boolean {
    const ready = this.input.ready?.() ?? true;
    if (ready === true) return true;
    // Guests ask a million times before it settles: each promise gets one reaction, not one for each question.
    if (ready !== this.#awaited) {
      this.#awaited = ready;
      const settle = () => {
        if (this.#awaited !== ready) return;
        this.#awaited = null;
        this.onReady?.();
      };
      ready.then(settle, settle);
    }
    return false;
  }
}

export class OutputStream extends Descriptor {
  readonly filetype = FILETYPE.CHARACTER_DEVICE;

  constructor(readonly output: GuestOutput) {
    super(STREAM_RIGHTS & ~RIGHTS.FD_READ, 0, 0);
  }
}

export type OpenDescriptor = OpenFile | OpenDirectory | InputStream | OutputStream;

export class DescriptorTable {
  readonly #open: (OpenDescriptor | undefined)[];
  /** No number below this one is free. */
  #firstFree: number;
  readonly #max: number;

  /** With `max` open descriptors or more, opening another one is EMFILE. */
  constructor(initial: readonly OpenDescriptor[], max: number) {
    this.#open = [...initial];
    this.#max = max;
    this.#firstFree = initial.length;
  }

  get(fd: number): OpenDescriptor {
    return this.#open[fd >>> 0] ?? fail(ERRNO.BADF);
  }

  /** A directory with these rights; ENOTDIR for anything else. */
  directory(fd: number, rights: number): OpenDirectory {
    const descriptor = this.get(fd);
    if (!(descriptor instanceof OpenDirectory)) fail(ERRNO.NOTDIR);
    descriptor.require(rights);
    return descriptor;
  }

  /**
   * A regular file with these rights. ESPIPE for a stream; for a directory EISDIR when it was to be read, else
   * EBADF, as it is open for nothing but reading.
   */
  file(fd: number, rights: number): OpenFile {
    const descriptor = this.get(fd);
    if (descriptor instanceof OpenDirectory) fail((rights & RIGHTS.FD_READ) !== 0 ? ERRNO.ISDIR : ERRNO.BADF);
    if (!(descriptor instanceof OpenFile)) fail(ERRNO.SPIPE);
    descriptor.require(rights);
    return descriptor;
  }

  /** Gives the lowest free number, as POSIX promises. */
  add(descriptor: OpenDescriptor): number {
    this.requireRoom();
    const fd = this.#firstFree;
    this.#open[fd] = descriptor;
    while (this.#open[this.#firstFree] !== undefined) this.#firstFree += 1;
    return fd;
  }

  /** Fails with EMFILE when nothing more can be opened: asked before anything is created on the way. */
  requireRoom(): void {
    if (this.#firstFree >= this.#max) fail(ERRNO.MFILE);
  }

  close(fd: number): void {
    const descriptor = this.get(fd);
    this.#open[fd >>> 0] = undefined;
    this.#firstFree = Math.min(this.#firstFree, fd >>> 0);
    descriptor.close();
  }

  /** Moves `from` to the number of `to`, which is closed; both have to be open. */
  renumber(from: number, to: number): void {
    const moved = this.get(from);
    const closed = this.get(to);
    if (moved === closed) return;
    this.#open[to >>> 0] = moved;
    this.#open[from >>> 0] = undefined;
    this.#firstFree = Math.min(this.#firstFree, from >>> 0);
    closed.close();
  }
}
