/** Packs a copy of a directory as a ZIP, for `--dir`. */

import { Uint8ArrayReader, Uint8ArrayWriter, ZipWriter } from "@zip.js/zip.js";
import { WasimoffError } from "../core/errors.ts";
import { MAX_FILE_BYTES } from "../core/provider/slot_intake.ts";
import { formatSize } from "./size.ts";
import { usageError } from "./usage_error.ts";

/** Headers of a full ZIP with names of usual length; the slot takes no larger file than MAX_FILE_BYTES. */
const HEADER_ALLOWANCE_BYTES = 16 * 1024 * 1024;
/** The copy is built in memory and sent whole. */
const MAX_PACKED_BYTES = MAX_FILE_BYTES - HEADER_ALLOWANCE_BYTES;
/** What the format holds without its 64-bit extension (APPNOTE 4.4.22). */
const MAX_PACKED_ENTRIES = 65_535;

/**
 * Everything that could differ between two copies of the same tree is fixed, so that an unchanged directory has
 * the same hash everywhere and is sent only once. The date is read as local time, hence the constructor.
 */
const FIXED = {
  level: 0,
  dataDescriptor: false,
  extendedTimestamp: false,
  lastModDate: new Date(1980, 0, 1),
  useWebWorkers: false,
} as const;

const FILE_MODE = 0o100644;
const DIRECTORY_MODE = 0o040755;
const LINK_MODE = 0o120777;

export interface PackLimits {
  readonly maxBytes?: number;
  readonly maxEntries?: number;
}

interface Entry {
  /** Path within the ZIP; a directory's ends with a slash. */
  readonly name: string;
  readonly path: string;
  readonly mode: number;
}

/**
 * The ZIP of a directory's tree, links kept as links; null when the directory is empty. Rejects with
 * `not_found`, with `out_of_range` beyond the limits, and for anything that is no file, directory or link;
 * every message names the path.
 */
export async function packDirectory(
  root: string,
  { maxBytes = MAX_PACKED_BYTES, maxEntries = MAX_PACKED_ENTRIES }: PackLimits = {},
): Promise<Uint8Array | null> {
  const zip = new ZipWriter(new Uint8ArrayWriter(), FIXED);
  let bytes = 0;
  let entries = 0;
  for await (const { name, path, mode } of walk(root, "")) {
    if (++entries > maxEntries) throw tooMuch(root, `more than ${maxEntries} entries`);
    const content = await named(path, () => readEntry(path, mode, maxBytes - bytes));
    if (content === null) throw tooMuch(root, `more than ${formatSize(maxBytes)}`);
    bytes += content.length;
    const directory = mode === DIRECTORY_MODE;
    const reader = directory ? undefined : new Uint8ArrayReader(content);
    await named(path, () => zip.add(name, reader, { ...FIXED, directory, unixMode: mode }));
  }
  const packed = await zip.close();
  return entries === 0 ? null : packed;
}

/** Everything below a directory in an order that depends on the names alone; links are not followed. */
async function* walk(directory: string, prefix: string): AsyncGenerator<Entry> {
  const children = await named(directory, () => Array.fromAsync(Deno.readDir(directory)));
  children.sort((a, b) => a.name < b.name ? -1 : 1);
  for (const { name, isDirectory, isFile, isSymlink } of children) {
    const path = `${directory}/${name}`;
    if (name.includes("\\")) throw usageError(`pack "${path}": rename it, a ZIP cannot keep a backslash`);
    if (isSymlink) {
      yield { name: prefix + name, path, mode: LINK_MODE };
    } else if (isDirectory) {
      yield { name: `${prefix}${name}/`, path, mode: DIRECTORY_MODE };
      yield* walk(path, `${prefix}${name}/`);
    } else if (isFile) {
      yield { name: prefix + name, path, mode: FILE_MODE };
    } else {
      throw usageError(`pack "${path}": it is neither a file nor a directory nor a link`);
    }
  }
}

/** Content of a file or target of a link; null when it has more bytes than are left. */
async function readEntry(path: string, mode: number, left: number): Promise<Uint8Array | null> {
  if (mode === DIRECTORY_MODE) return new Uint8Array();
  if (mode === LINK_MODE) return new TextEncoder().encode(await Deno.readLink(path));
  if ((await Deno.stat(path)).size > left) return null;
  const content = await Deno.readFile(path);
  return content.length > left ? null : content;
}

async function named<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const missing = error instanceof Deno.errors.NotFound;
    const code = missing ? "not_found" : "unknown";
    throw new WasimoffError(code, `pack "${path}": ${describe(error, path)}`, { cause: error });
  }
}

function describe(error: unknown, path: string): string {
  if (error instanceof Deno.errors.NotADirectory) return "it is a file: name a directory";
  if (!(error instanceof Deno.errors.NotFound)) return WasimoffError.from(error).message;
  // The platform replaces what is no UTF-8, and then there is no file of that name.
  return path.includes("\ufffd") ? "its name is no UTF-8: rename it" : "there is no such file or directory";
}

function tooMuch(root: string, what: string): WasimoffError {
  return new WasimoffError("out_of_range", `pack "${root}": it holds ${what}: name a smaller directory`);
}
