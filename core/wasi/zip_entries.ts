/** The entries of a ZIP from a stranger: what it declares is checked here, before anything is unpacked. */

import type { Entry } from "@zip.js/zip.js";
import { loadZipLibrary, type ZipLibrary } from "./zip_library.ts";
import { decodeZipText, refuseZip, splitEntryName } from "./zip_names.ts";
import { fromDosTime } from "./zip_times.ts";

export interface ZipLimits {
  readonly maxEntries: number;
  /** Unpacked size of everything, bytes. */
  readonly maxBytes: number;
  /** Unpacked size divided by the size of the ZIP; only asked above 1 MiB. */
  readonly maxRatio: number;
}

export type EntryKind = "file" | "directory" | "link";

export interface ZipEntry {
  /** As it is written; checked, so that `splitEntryName` has its parts. */
  readonly name: string;
  readonly kind: EntryKind;
  readonly executable: boolean;
  /** Milliseconds since 1970. Times without a zone are taken for UTC, so that they are the same everywhere. */
  readonly mtimeMs: number;
  /** Unpacked size, bytes. */
  readonly size: number;
  /** Where it starts in the ZIP, bytes. */
  readonly offset: number;
}

/** Up to this size the ratio does not matter: small files of zeros are common. */
const RATIO_FLOOR_BYTES = 1024 ** 2;
/** Stored and deflated (APPNOTE.TXT 4.4.5 of PKWARE): what else the library knows, few programs write. */
const METHODS: readonly number[] = [0, 8];
/** Kinds of files in modes of POSIX. */
const MODE = { KIND: 0o170000, FILE: 0o100000 } as const;
const MODE_OWNER_EXECUTES = 0o100;

const OPTIONS = {
  // A ZIP that can be read in two ways is refused.
  strictness: "strict",
  // Names are checked here, where the message can say what is wrong with them.
  filenameValidation: "tolerant",
  checkCrc32: true,
} as const;

/** Reads what the list of the ZIP declares. Rejects with `invalid_argument` and names the entry. */
export async function readZipEntries(zip: Uint8Array, limits: ZipLimits): Promise<ZipEntry[]> {
  const entries = new Map<string, ZipEntry>();
  let total = 0;
  for await (const listed of listZip(zip, await loadZipLibrary())) {
    if (entries.size === limits.maxEntries) throw refuseZip(`more than ${limits.maxEntries} entries`);
    const entry = checkEntry(listed);
    if (entries.has(entry.name)) throw refuseZip(`entry "${entry.name}" is there twice`);
    total += entry.size;
    if (total > limits.maxBytes) throw refuseZip(`more than ${limits.maxBytes} bytes when unpacked`);
    entries.set(entry.name, entry);
  }
  if (total > RATIO_FLOOR_BYTES && total / zip.length > limits.maxRatio) {
    throw refuseZip(`unpacked size is more than ${limits.maxRatio} times the packed size`);
  }
  return [...entries.values()];
}

/** The entries as the library has them, not checked. Throws `invalid_argument`. */
export async function* listZip(zip: Uint8Array, library: ZipLibrary): AsyncGenerator<Entry> {
  const reader = new library.ZipReader(new library.Uint8ArrayReader(zip), OPTIONS);
  try {
    yield* reader.getEntriesGenerator();
  } catch (error) {
    throw refuseZip(reasonOf(error), error);
  }
}

function checkEntry(listed: Entry): ZipEntry {
  const name = decodeZipText(listed.rawFilename, "a name");
  if (listed.encrypted) throw refuseZip(`entry "${name}" is encrypted`);
  if (!METHODS.includes(listed.compressionMethod)) {
    throw refuseZip(`entry "${name}" is packed by method ${listed.compressionMethod}: use deflate`);
  }
  const kind = kindOf(listed, name);
  if (splitEntryName(name).length === 0 && kind !== "directory") {
    throw refuseZip(`entry "${name}" has no name`);
  }
  const size = listed.uncompressedSize;
  if (kind === "directory" && size > 0) throw refuseZip(`directory "${name}" has contents`);
  const executable = ((listed.unixMode ?? 0) & MODE_OWNER_EXECUTES) !== 0;
  return { name, kind, executable, mtimeMs: timeOf(listed), size, offset: listed.offset };
}

function kindOf({ directory, symlink, unixMode = 0 }: Entry, name: string): EntryKind {
  if (directory) return "directory";
  if (symlink) return "link";
  const mode = unixMode & MODE.KIND;
  if (mode === MODE.FILE || mode === 0) return "file";
  throw refuseZip(`entry "${name}" is neither a file nor a directory nor a link`);
}

/** The library reads times without a zone as local ones. */
function timeOf({ extraFieldExtendedTimestamp, extraFieldNTFS, rawLastModDate }: Entry): number {
  const exact = extraFieldExtendedTimestamp?.lastModDate ?? extraFieldNTFS?.lastModDate;
  return exact === undefined ? fromDosTime(Number(rawLastModDate)) : exact.getTime();
}

/** What the library says, with the detail that it keeps beside its message. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return "reason" in error ? `${error.message}: ${error.reason}` : error.message;
}
