/** Writes a ZIP of files, directories and links. Contents are stored as they are, so that its size is known before. */

import type { EntryKind } from "./zip_entries.ts";
import { loadZipLibrary, type ZipLibrary } from "./zip_library.ts";
import { toDosTime } from "./zip_times.ts";

export interface ZipItem {
  /** Path without a slash at its end. */
  readonly name: string;
  readonly kind: EntryKind;
  readonly executable: boolean;
  /** Milliseconds since 1970, kept to the second; null for the same time in every ZIP. */
  readonly mtimeMs: number | null;
  /** Of the contents, or of the target of a link; 0 for a directory. */
  readonly size: number;
  /** Fills an array with the contents from `offset` on. */
  readonly read: (offset: number, into: Uint8Array) => void;
}

/** More take the 64-bit extension of the format, which not every program reads. */
export const ZIP_MAX_ITEMS = 65_534;
/** What a ZIP without items takes: the record at its end (APPNOTE.TXT 4.3.16 of PKWARE). */
export const ZIP_END_BYTES = 22;
/** Local and central header without names and extra fields (4.3.7 and 4.3.12). */
const HEADER_BYTES = 30 + 46;
/** The extra field with the time, which is in both headers. */
const TIME_BYTES = 9;
const PERMISSIONS = { directory: 0o040755, link: 0o120777, file: 0o100644 } as const;
const EXECUTABLE = 0o100755;

const OPTIONS = {
  level: 0,
  // Sizes come before the contents, as some programs read ZIPs from their start.
  dataDescriptor: false,
  ntfsTimestamp: false,
  useUnicodeFileNames: true,
} as const;

/** What an item takes in a ZIP at most, bytes; `nameBytes` is the length of its name as UTF-8. */
export function zipItemBytes(nameBytes: number, size: number): number {
  // The slash of a directory is counted for all.
  return HEADER_BYTES + 2 * (nameBytes + 1 + TIME_BYTES) + size;
}

/** The ZIP of at most ZIP_MAX_ITEMS items, which have different names; their order is kept. */
export async function packZip(items: readonly ZipItem[]): Promise<Uint8Array<ArrayBuffer>> {
  if (items.length > ZIP_MAX_ITEMS) throw new RangeError(`a ZIP holds at most ${ZIP_MAX_ITEMS} entries`);
  const library = await loadZipLibrary();
  // Of exactly that size the library makes no copy at the end.
  const bytes = items.reduce((sum, item) => sum + exactBytes(item), ZIP_END_BYTES);
  const zip = new library.ZipWriter(new library.Uint8ArrayWriter(bytes), OPTIONS);
  for (const item of items) {
    const { name, kind, executable, mtimeMs } = item;
    await zip.add(name, kind === "directory" ? undefined : readerOf(item, library), {
      directory: kind === "directory",
      unixMode: kind === "file" && executable ? EXECUTABLE : PERMISSIONS[kind],
      lastModDate: new Date(mtimeMs ?? 0),
      // The library would say the local time.
      rawLastModDate: toDosTime(mtimeMs ?? 0),
      extendedTimestamp: mtimeMs !== null,
    });
  }
  return await zip.close();
}

function exactBytes({ name, kind, mtimeMs, size }: ZipItem): number {
  const slash = kind === "directory" ? 1 : 0;
  const seconds = Math.floor((mtimeMs ?? 0) / 1000);
  const time = mtimeMs !== null && seconds === (seconds | 0) ? TIME_BYTES : 0;
  return HEADER_BYTES + 2 * (new TextEncoder().encode(name).length + slash + time) + size;
}

/** Contents are read piece by piece: another copy of them might not fit. */
function readerOf({ size, read }: ZipItem, { Reader }: ZipLibrary) {
  const readUint8Array = (offset: number, length: number) => {
    const piece = new Uint8Array(Math.min(length, size - offset));
    read(offset, piece);
    return Promise.resolve(piece);
  };
  return Object.assign(new Reader(null), { size, readUint8Array });
}
