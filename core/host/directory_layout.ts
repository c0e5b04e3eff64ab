/** Where a directory store keeps what: `tmp/<random>` while a file arrives, then `sha256/ab/<64 hex digits>`. */

import { type FileRef, isFileRef, type StoredFile } from "../storage/file_store.ts";
import { SNIFF_BYTES, sniffMedia } from "../storage/media.ts";

/** A file that nobody has written to for so long belongs to nobody. */
const STALE_TEMPORARY_MS = 60 * 60_000;

/** A file found at start-up and when it was last used (its time of modification, Unix milliseconds). */
export interface FoundFile {
  readonly file: StoredFile;
  readonly usedAt: number;
}

export class DirectoryLayout {
  readonly root: string;

  constructor(root: string) {
    this.root = root;
  }

  /** A new file for content that arrives; only this process may read it. */
  temporaryPath(): string {
    return `${this.root}/tmp/${crypto.randomUUID()}`;
  }

  /** The place of a whole file. A ref is hex digits only, so no path can leave the root. */
  path(ref: FileRef): string {
    const hex = ref.slice("sha256:".length);
    return `${this.root}/sha256/${hex.slice(0, 2)}/${hex}`;
  }

  /** Makes the directories, and removes what an earlier process had not finished. */
  async prepare(): Promise<void> {
    await Deno.mkdir(`${this.root}/sha256`, { recursive: true });
    await Deno.mkdir(`${this.root}/tmp`, { recursive: true });
    for await (const { name } of Deno.readDir(`${this.root}/tmp`)) {
      await removeIfStale(`${this.root}/tmp/${name}`);
    }
    const probe = this.temporaryPath();
    await Deno.writeFile(probe, new Uint8Array(0), { createNew: true });
    await Deno.remove(probe);
  }

  /** Every whole file; what does not belong there is left alone. */
  async *scan(): AsyncGenerator<FoundFile> {
    for await (const folder of Deno.readDir(`${this.root}/sha256`)) {
      if (!folder.isDirectory) continue;
      for await (const { name } of Deno.readDir(`${this.root}/sha256/${folder.name}`)) {
        const ref = `sha256:${name}`;
        if (!isFileRef(ref) || !name.startsWith(folder.name)) continue;
        const found = await this.#look(ref);
        if (found !== null) yield found;
      }
    }
  }

  async #look(ref: FileRef): Promise<FoundFile | null> {
    using file = await Deno.open(this.path(ref));
    const { size, mtime, isFile } = await file.stat();
    if (!isFile) return null;
    const head = new Uint8Array(SNIFF_BYTES);
    const length = await file.read(head) ?? 0;
    const media = sniffMedia(head.subarray(0, length));
    return { file: { ref, media, size }, usedAt: mtime?.getTime() ?? 0 };
  }
}

/** Removes what a process that died has left; what was written to lately may be the upload of another that lives. */
async function removeIfStale(path: string): Promise<void> {
  try {
    const { mtime } = await Deno.stat(path);
    if (Date.now() - (mtime?.getTime() ?? 0) >= STALE_TEMPORARY_MS) {
      await Deno.remove(path, { recursive: true });
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error; // its owner has just finished with it
  }
}
