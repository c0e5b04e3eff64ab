/** Unpacks a ZIP made by somebody else into a directory of ours. */

import { type Entry, Uint8ArrayReader, Uint8ArrayWriter, ZipReader } from "@zip.js/zip.js";
import { WasimoffError } from "../core/errors.ts";
import { replaceFile } from "./replace_file.ts";
import { isDownward, safePath } from "./safe_path.ts";
import { formatSize } from "./size.ts";

/** Unpacked bytes in total. */
const MAX_UNPACKED_BYTES = 1024 * 1024 * 1024;
/** Files, directories and links. */
const MAX_UNPACKED_ENTRIES = 65_535;
/** Bytes that name a link's target; Linux allows no more (PATH_MAX). */
const MAX_LINK_BYTES = 4096;

export interface UnpackOptions {
  readonly maxBytes?: number;
  readonly maxEntries?: number;
  /** Told about links that would lead out of the directory: they are left out. */
  readonly onSkippedLink: (name: string, target: string) => void;
}

/**
 * Writes the tree into the directory. Existing files are replaced, links on the way are never followed and no
 * path leaves the directory. All names and declared sizes are checked before anything is written.
 */
export async function unpackZip(zip: Uint8Array, directory: string, options: UnpackOptions): Promise<void> {
  const { maxBytes = MAX_UNPACKED_BYTES, maxEntries = MAX_UNPACKED_ENTRIES, onSkippedLink } = options;
  const reader = new ZipReader(new Uint8ArrayReader(zip), {
    useWebWorkers: false,
    // safePath is stricter, and names the entry.
    filenameValidation: "tolerant",
  });
  try {
    const entries = await readEntries(reader, maxEntries, maxBytes);
    await Deno.mkdir(directory, { recursive: true });
    for (const { entry, parts } of entries) await writeEntry(entry, { directory, parts, onSkippedLink });
  } catch (error) {
    if (error instanceof WasimoffError) throw error;
    throw new WasimoffError("unknown", `unpack into "${directory}": ${WasimoffError.from(error).message}`, {
      cause: error,
    });
  } finally {
    await reader.close();
  }
}

async function readEntries(reader: ZipReader<unknown>, maxEntries: number, maxBytes: number) {
  const entries: { entry: Entry; parts: readonly string[] }[] = [];
  let bytes = 0;
  for await (const entry of reader.getEntriesGenerator()) {
    if (entries.length === maxEntries) throw tooMuch(`more than ${maxEntries} entries`);
    bytes += entry.uncompressedSize;
    if (bytes > maxBytes) throw tooMuch(`more than ${formatSize(maxBytes)}`);
    entries.push({ entry, parts: safePath(entry.filename) });
  }
  return entries;
}

interface Place {
  readonly directory: string;
  readonly parts: readonly string[];
  readonly onSkippedLink: UnpackOptions["onSkippedLink"];
}

async function writeEntry(entry: Entry, { directory, parts, onSkippedLink }: Place): Promise<void> {
  const parents = entry.directory ? parts : parts.slice(0, -1);
  let path = directory;
  for (const part of parents) path = await enter(`${path}/${part}`);
  if (entry.directory) return;
  path = `${path}/${parts.at(-1)}`;
  if (entry.symlink && entry.uncompressedSize > MAX_LINK_BYTES) {
    throw tooMuch("a link with an endless target");
  }
  const content = await extract(entry);
  if (!entry.symlink) return await replaceFile(path, (temporary) => Deno.writeFile(temporary, content));
  const target = new TextDecoder().decode(content);
  if (!isDownward(target)) return onSkippedLink(entry.filename, target);
  await replaceFile(path, (temporary) => Deno.symlink(target, temporary));
}

/** Makes sure that a real directory is there: a link in its place could lead anywhere. */
async function enter(path: string): Promise<string> {
  try {
    await Deno.mkdir(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    if ((await Deno.lstat(path)).isDirectory) return path;
    throw new WasimoffError(
      "failed_precondition",
      `unpack: "${path}" is in the way of a directory: move it away`,
    );
  }
  return path;
}

async function extract(entry: Exclude<Entry, { directory: true }>): Promise<Uint8Array> {
  const limited = new LimitedWriter(entry.uncompressedSize);
  return await entry.getData(limited, { useWebWorkers: false, checkCrc32: true });
}

/** Declared sizes may lie: the bytes themselves are counted too. */
class LimitedWriter extends Uint8ArrayWriter {
  #left: number;

  constructor(limit: number) {
    super();
    this.#left = limit;
  }

  override writeUint8Array(chunk: Uint8Array): Promise<void> {
    this.#left -= chunk.length;
    if (this.#left < 0) return Promise.reject(tooMuch("more than its directory says"));
    return super.writeUint8Array(chunk);
  }
}

function tooMuch(what: string): WasimoffError {
  return new WasimoffError("out_of_range", `unpack: the ZIP holds ${what}`);
}
