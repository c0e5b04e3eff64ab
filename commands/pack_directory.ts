/** Packs a copy of a directory as a ZIP, for `--dir`. */

import { WasimoffError } from "../core/errors.ts";
import { MAX_FILE_BYTES } from "../core/provider/slot_intake.ts";
import type { EntryKind } from "../core/wasi/zip_entries.ts";
import { packZip, ZIP_MAX_ITEMS, type ZipItem } from "../core/wasi/zip_writer.ts";
import { formatSize } from "./size.ts";
import { usageError } from "./usage_error.ts";

/** Headers of a full ZIP with names of usual length; the slot takes no larger file than MAX_FILE_BYTES. */
const HEADER_ALLOWANCE_BYTES = 16 * 1024 * 1024;
/** The copy is built in memory and sent whole. */
const MAX_PACKED_BYTES = MAX_FILE_BYTES - HEADER_ALLOWANCE_BYTES;
/** Whether its owner may execute a file. */
const MODE_OWNER_EXECUTES = 0o100;

export interface PackLimits {
  readonly maxBytes?: number;
  readonly maxEntries?: number;
}

interface Entry {
  /** Path within the ZIP. */
  readonly name: string;
  readonly path: string;
  readonly kind: EntryKind;
}

interface Content {
  readonly bytes: Uint8Array;
  readonly executable: boolean;
}

/**
 * The ZIP of a directory's tree, links kept as links; null when the directory is empty. Times are left out, so that
 * an unchanged directory has the same hash everywhere and is sent only once. Rejects with
 * `not_found`, with `out_of_range` beyond the limits, and for anything that is no file, directory or link;
 * every message names the path.
 */
export async function packDirectory(
  root: string,
  { maxBytes = MAX_PACKED_BYTES, maxEntries = ZIP_MAX_ITEMS }: PackLimits = {},
): Promise<Uint8Array | null> {
  const items: ZipItem[] = [];
  let left = maxBytes;
  for await (const { name, path, kind } of walk(root, "")) {
    if (items.length === maxEntries) throw tooMuch(root, `more than ${maxEntries} entries`);
    const content = await named(path, () => readEntry(path, kind, left));
    if (content === null) throw tooMuch(root, `more than ${formatSize(maxBytes)}`);
    const { bytes, executable } = content;
    left -= bytes.length;
    const read = (at: number, into: Uint8Array) => into.set(bytes.subarray(at, at + into.length));
    items.push({ name, kind, executable, mtimeMs: null, size: bytes.length, read });
  }
  return items.length === 0 ? null : await packZip(items);
}

/** Everything below a directory in an order that depends on the names alone; links are not followed. */
async function* walk(directory: string, prefix: string): AsyncGenerator<Entry> {
  const children = await named(directory, () => Array.fromAsync(Deno.readDir(directory)));
  children.sort((a, b) => a.name < b.name ? -1 : 1);
  for (const { name, isDirectory, isFile, isSymlink } of children) {
    const path = `${directory}/${name}`;
    if (name.includes("\\")) throw usageError(`pack "${path}": rename it, a ZIP cannot keep a backslash`);
    if (isSymlink) {
      yield { name: prefix + name, path, kind: "link" };
    } else if (isDirectory) {
      yield { name: prefix + name, path, kind: "directory" };
      yield* walk(path, `${prefix}${name}/`);
    } else if (isFile) {
      yield { name: prefix + name, path, kind: "file" };
    } else {
      throw usageError(`pack "${path}": it is neither a file nor a directory nor a link`);
    }
  }
}

/** Content of a file or target of a link; null when it has more bytes than are left. */
async function readEntry(path: string, kind: EntryKind, left: number): Promise<Content | null> {
  if (kind === "directory") return { bytes: new Uint8Array(), executable: false };
  if (kind === "link") {
    return { bytes: new TextEncoder().encode(await Deno.readLink(path)), executable: false };
  }
  const { size, mode } = await Deno.stat(path);
  if (size > left) return null;
  const bytes = await Deno.readFile(path);
  return bytes.length > left ? null : { bytes, executable: ((mode ?? 0) & MODE_OWNER_EXECUTES) !== 0 };
}

async function named<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const code = error instanceof Deno.errors.NotFound ? "not_found" : "unknown";
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
