/** Names for files: each stands for one ref and belongs to the identity that made it first. */

import { WasimoffError } from "../errors.ts";
import { type FileRef, isFileRef } from "./file_store.ts";

export interface NameEntry {
  readonly name: string;
  readonly ref: FileRef;
  readonly owner: string;
}

/** Where names outlive the process; every call replaces all that was saved before. */
export interface NameStorage {
  load(): Promise<readonly NameEntry[]>;
  save(entries: readonly NameEntry[]): Promise<void>;
}

/** For stores that forget everything anyway. */
export const UNSAVED: NameStorage = { load: () => Promise.resolve([]), save: () => Promise.resolve() };

/** Names of one broker: all of them are saved at once, which takes some milliseconds at this number. */
export const MAX_NAMES = 10_000;
/** Length of a name in UTF-8, as file systems have it. */
export const MAX_NAME_BYTES = 255;

/** Throws `invalid_argument` for a name that could pass for a ref or a path, or that would damage a terminal. */
export function checkFileName(name: string): void {
  const refuse = (reason: string) => {
    throw new WasimoffError("invalid_argument", `file name is not allowed: it ${reason}`);
  };
  if (name === "") refuse("is empty");
  if (new TextEncoder().encode(name).length > MAX_NAME_BYTES) {
    refuse(`is longer than ${MAX_NAME_BYTES} bytes`);
  }
  if (/^sha256:/i.test(name)) refuse("looks like a reference");
  if (/[/\\]/.test(name) || name.includes("..") || name === ".") refuse('contains "/", "\\" or ".."');
  if (/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(name) || !name.isWellFormed()) refuse("contains control characters");
}

/** The table of names. Changes are saved before they are answered, one after the other. */
export class FileNames {
  readonly #storage: NameStorage;
  readonly #entries = new Map<string, NameEntry>();
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(storage: NameStorage, entries: readonly NameEntry[]) {
    this.#storage = storage;
    for (const entry of entries) this.#entries.set(entry.name, entry);
  }

  static async open(storage: NameStorage): Promise<FileNames> {
    return new FileNames(storage, await storage.load());
  }

  /** The ref behind a name, or the ref itself; null for an unknown name. The file may be gone all the same. */
  resolve(nameOrRef: string): FileRef | null {
    if (isFileRef(nameOrRef)) return nameOrRef;
    return this.#entries.get(nameOrRef)?.ref ?? null;
  }

  /** Every name by its ref. */
  byRef(): Map<FileRef, string[]> {
    const names = new Map<FileRef, string[]>();
    for (const { name, ref } of this.#entries.values()) names.set(ref, [...names.get(ref) ?? [], name]);
    return names;
  }

  /**
   * Throws what `set` would reject with: `invalid_argument`, `permission_denied` when the name is another's,
   * `resource_exhausted` when there are too many names.
   */
  check(name: string, owner: string): void {
    checkFileName(name);
    const entry = this.#entries.get(name);
    if (entry !== undefined && entry.owner !== owner) throw notYours(name);
    if (entry === undefined && this.#entries.size >= MAX_NAMES) {
      throw new WasimoffError("resource_exhausted", `there are ${MAX_NAMES} file names already: delete some`);
    }
  }

  /** Makes a name, or points the owner's own to another ref. */
  set(name: string, ref: FileRef, owner: string): Promise<void> {
    return this.#change(() => {
      this.check(name, owner);
      this.#entries.set(name, { name, ref, owner });
    });
  }

  /** Removes a name and leaves the file; false when there is none, `permission_denied` when it is another's. */
  async delete(name: string, owner: string): Promise<boolean> {
    let found = false;
    await this.#change(() => {
      const entry = this.#entries.get(name);
      if (entry !== undefined && entry.owner !== owner) throw notYours(name);
      found = this.#entries.delete(name);
    });
    return found;
  }

  /** Removes all names of a file that goes; `permission_denied` when one of them is another's. */
  deleteRef(ref: FileRef, owner: string): Promise<void> {
    return this.#change(() => {
      const entries = [...this.#entries.values()].filter((entry) => entry.ref === ref);
      const foreign = entries.find((entry) => entry.owner !== owner);
      if (foreign !== undefined) throw notYours(foreign.name);
      for (const { name } of entries) this.#entries.delete(name);
    });
  }

  /** Applies and saves a change; neither when it throws or cannot be saved. */
  #change(apply: () => void): Promise<void> {
    const result = this.#turn.then(async () => {
      const before = [...this.#entries.values()];
      apply();
      try {
        await this.#storage.save([...this.#entries.values()]);
      } catch (error) {
        this.#entries.clear();
        for (const entry of before) this.#entries.set(entry.name, entry);
        throw error;
      }
    });
    this.#turn = result.catch(() => {}); // its caller hears of it
    return result;
  }
}

function notYours(name: string): WasimoffError {
  return new WasimoffError("permission_denied", `file name "${name}" belongs to somebody else: use another`);
}
