/** Makes a directory of a ZIP from a stranger. Loads a ZIP library: import it when there is a ZIP. */

import { type Entry, Uint8ArrayReader, ZipReader } from "@zip.js/zip.js";
import { WasimoffError } from "../errors.ts";
import { File } from "./file.ts";
import { Directory, rootDirectory } from "./inode.ts";
import { PATH_MAX_BYTES, Symlink } from "./symlink.ts";
import { Volume } from "./volume.ts";
import { splitEntryName } from "./zip_names.ts";

export { forkDirectory } from "./inode.ts";

export interface ZipLimits {
  /** Files, links and directories, those counted that are only named as part of a path. */
  readonly maxEntries: number;
  /** Unpacked size of everything, bytes. */
  readonly maxBytes: number;
  /** Unpacked size divided by the size of the ZIP; only asked above 1 MiB. */
  readonly maxRatio: number;
}

export const ROOTFS_LIMITS: ZipLimits = { maxEntries: 65_536, maxBytes: 1024 ** 3, maxRatio: 200 };

/** Up to this size the ratio does not matter: small files of zeros are common. */
const RATIO_FLOOR_BYTES = 1024 ** 2;
const NS_PER_MS = 1_000_000n;

type FileEntry = Exclude<Entry, { directory: true }>;

/**
 * Unpacks a ZIP. Everything a ZIP can be refused for without unpacking is checked before, and entries are held
 * to their declared sizes while unpacking. Rejects with `invalid_argument` and names the entry.
 */
export async function unpackZip(zip: Uint8Array, limits: ZipLimits = ROOTFS_LIMITS): Promise<Directory> {
  const reader = new ZipReader(new Uint8ArrayReader(zip), {
    useWebWorkers: false,
    checkCrc32: true,
    checkOverlappingEntry: true,
    // Names are checked here, where the message can say what is wrong with them.
    filenameValidation: "tolerant",
  });
  try {
    const entries = await listEntries(reader, zip.length, limits);
    const tree = new Tree(limits.maxEntries);
    for (const entry of entries) await tree.add(entry);
    return tree.finish();
  } catch (error) {
    if (error instanceof WasimoffError) throw error;
    throw refuse(error instanceof Error ? error.message : String(error), error);
  } finally {
    await reader.close();
  }
}

function refuse(reason: string, cause?: unknown): WasimoffError {
  return new WasimoffError("invalid_argument", `unpack ZIP: ${reason}`, { cause });
}

/** Reads the central directory and checks what it declares. */
async function listEntries(
  reader: ZipReader<unknown>,
  zipBytes: number,
  limits: ZipLimits,
): Promise<Entry[]> {
  const entries: Entry[] = [];
  let total = 0;
  for await (const entry of reader.getEntriesGenerator()) {
    if (entries.length >= limits.maxEntries) throw refuse(`more than ${limits.maxEntries} entries`);
    if (entry.encrypted) throw refuse(`entry "${entry.filename}" is encrypted`);
    total += entry.uncompressedSize;
    if (total > limits.maxBytes) throw refuse(`more than ${limits.maxBytes} bytes when unpacked`);
    entries.push(entry);
  }
  if (total > RATIO_FLOOR_BYTES && total / zipBytes > limits.maxRatio) {
    throw refuse(`unpacked size is more than ${limits.maxRatio} times the packed size`);
  }
  return entries;
}

/** The tree while it is built. */
class Tree {
  readonly #volume = new Volume();
  readonly #root = rootDirectory(this.#volume);
  readonly #directoryTimes: [Directory, bigint][] = [];
  readonly #maxNames: number;
  #names = 0;

  constructor(maxNames: number) {
    this.#maxNames = maxNames;
  }

  async add(entry: Entry): Promise<void> {
    const names = splitEntryName(entry.rawFilename);
    const now = BigInt(entry.lastModDate.getTime()) * NS_PER_MS;
    if (entry.directory) {
      this.#directoryTimes.push([this.#directoryAt(names, entry.filename), now]);
      return;
    }
    const name = names.pop();
    if (name === undefined) throw refuse(`entry "${entry.filename}" has no name`);
    const parent = this.#directoryAt(names, entry.filename);
    if (parent.lookup(name) !== undefined) throw refuse(`entry "${entry.filename}" is there twice`);
    this.#countName();
    const inode = entry.symlink
      ? new Symlink(this.#volume, now, await readTarget(entry))
      : File.of(this.#volume, now, await readContents(entry));
    parent.add(name, inode, now);
  }

  /** The root, with the times of directories, which adding to them has changed. */
  finish(): Directory {
    for (const [directory, time] of this.#directoryTimes) directory.touch(time);
    return this.#root;
  }

  #directoryAt(names: readonly string[], filename: string): Directory {
    let directory = this.#root;
    for (const name of names) {
      let next = directory.lookup(name);
      if (next === undefined) {
        this.#countName();
        next = new Directory(this.#volume, 0n);
        directory.add(name, next, 0n);
      }
      if (!(next instanceof Directory)) throw refuse(`entry "${filename}" lies below a file`);
      directory = next;
    }
    return directory;
  }

  #countName(): void {
    this.#names += 1;
    if (this.#names > this.#maxNames) throw refuse(`more than ${this.#maxNames} files and directories`);
  }
}

async function readTarget(entry: FileEntry): Promise<string> {
  if (entry.uncompressedSize === 0 || entry.uncompressedSize > PATH_MAX_BYTES) {
    throw refuse(`symbolic link "${entry.filename}" has a target of ${entry.uncompressedSize} bytes`);
  }
  const target = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(await readContents(entry));
  if (target.includes("\0")) throw refuse(`symbolic link "${entry.filename}" has a NUL in its target`);
  return target;
}

/** Unpacks one entry into exactly the bytes it declared. */
async function readContents(entry: FileEntry): Promise<Uint8Array> {
  const contents = new Uint8Array(entry.uncompressedSize);
  let used = 0;
  const sink = new WritableStream<Uint8Array>({
    write(chunk) {
      if (used + chunk.length > contents.length) {
        throw refuse(`entry "${entry.filename}" is larger than it says`);
      }
      contents.set(chunk, used);
      used += chunk.length;
    },
  });
  try {
    await entry.getData(sink);
  } catch (error) {
    if (error instanceof WasimoffError) throw error;
    throw refuse(`entry "${entry.filename}": ${error instanceof Error ? error.message : error}`, error);
  }
  if (used < contents.length) throw refuse(`entry "${entry.filename}" is smaller than it says`);
  return contents;
}
