/** The entries of a ZIP from a stranger: everything it can be refused for without unpacking is checked here. */

import { CENTRAL_HEADER, EXTRA, LOCAL_HEADER, MAX_U32, METHOD } from "./zip_format.ts";
import { MADE_ON_MACOS, MADE_ON_UNIX, MODE, MODE_OWNER_EXECUTES } from "./zip_format.ts";
import { findCentralDirectory, u64 } from "./zip_directory.ts";
import { decodeZipText, refuseZip, splitEntryName } from "./zip_names.ts";

export interface ZipLimits {
  readonly maxEntries: number;
  /** Unpacked size of everything, bytes. */
  readonly maxBytes: number;
  /** Unpacked size divided by the size of the ZIP; only asked above 1 MiB. */
  readonly maxRatio: number;
}

export type EntryKind = "file" | "directory" | "link";

export interface ZipEntry {
  /** As it is written; checked, so that `splitEntryName` has its parts. Kept whole: parts take a lot of heap. */
  readonly name: string;
  readonly kind: EntryKind;
  readonly executable: boolean;
  /** Milliseconds since 1970. Times without a zone are taken for UTC, so that they are the same everywhere. */
  readonly mtimeMs: number;
  /** Unpacked size, bytes. */
  readonly size: number;
  readonly crc32: number;
  readonly deflated: boolean;
  /** A view of the ZIP. */
  readonly packed: Uint8Array;
}

/** Up to this size the ratio does not matter: small files of zeros are common. */
const RATIO_FLOOR_BYTES = 1024 ** 2;
/** General purpose bits 0, 6 and 13. */
const FLAGS_ENCRYPTED = 0x2041;

/** An entry of the list, before its contents have been found. */
interface Listed extends Omit<ZipEntry, "packed"> {
  readonly offset: number;
  readonly packedBytes: number;
  readonly rawName: Uint8Array;
}

/** Reads what the list of the ZIP declares. Throws `invalid_argument` and names the entry. */
export function readZipEntries(zip: Uint8Array, limits: ZipLimits): ZipEntry[] {
  const view = new DataView(zip.buffer, zip.byteOffset, zip.byteLength);
  const directory = findCentralDirectory(view);
  if (directory.entries > limits.maxEntries) throw refuseZip(`more than ${limits.maxEntries} entries`);
  const listed: Listed[] = [];
  let total = 0;
  let at = directory.offset;
  for (let count = 0; count < directory.entries; count++) {
    if (at + CENTRAL_HEADER.bytes > directory.end) throw refuseZip("its list of entries is cut off");
    const bytes = CENTRAL_HEADER.bytes + view.getUint16(at + 28, true) + view.getUint16(at + 30, true) +
      view.getUint16(at + 32, true);
    if (at + bytes > directory.end) throw refuseZip("its list of entries is cut off");
    const entry = readHeader(zip, view, at);
    total += entry.size;
    if (total > limits.maxBytes) throw refuseZip(`more than ${limits.maxBytes} bytes when unpacked`);
    listed.push(entry);
    at += bytes;
  }
  if (at !== directory.end) throw refuseZip("its list has more entries than it says");
  if (total > RATIO_FLOOR_BYTES && total / zip.length > limits.maxRatio) {
    throw refuseZip(`unpacked size is more than ${limits.maxRatio} times the packed size`);
  }
  return locate(zip, view, { listed, end: directory.offset });
}

function readHeader(zip: Uint8Array, view: DataView, at: number): Listed {
  if (view.getUint32(at, true) !== CENTRAL_HEADER.signature) throw refuseZip("its list of entries is broken");
  const nameEnd = at + CENTRAL_HEADER.bytes + view.getUint16(at + 28, true);
  const rawName = zip.subarray(at + CENTRAL_HEADER.bytes, nameEnd);
  const name = decodeZipText(rawName, "a name");
  if ((view.getUint16(at + 8, true) & FLAGS_ENCRYPTED) !== 0) throw refuseZip(`entry "${name}" is encrypted`);
  const method = view.getUint16(at + 10, true);
  if (method !== METHOD.STORED && method !== METHOD.DEFLATED) {
    throw refuseZip(`entry "${name}" is packed by method ${method}: use deflate`);
  }
  const kind = kindOf(view, at, name);
  if (splitEntryName(name).length === 0 && kind !== "directory") {
    throw refuseZip(`entry "${name}" has no name`);
  }
  const extra = readExtra(view, { at: nameEnd, end: nameEnd + view.getUint16(at + 30, true), header: at });
  if (kind === "directory" && extra.size > 0) throw refuseZip(`directory "${name}" has contents`);
  const executable = (unixMode(view, at) & MODE_OWNER_EXECUTES) !== 0;
  const crc32 = view.getUint32(at + 16, true);
  return { name, rawName, kind, executable, crc32, deflated: method === METHOD.DEFLATED, ...extra };
}

/** The mode of POSIX, 0 where there is none. */
function unixMode(view: DataView, header: number): number {
  const madeOn = view.getUint8(header + 5);
  return madeOn === MADE_ON_UNIX || madeOn === MADE_ON_MACOS ? view.getUint16(header + 40, true) : 0;
}

function kindOf(view: DataView, header: number, name: string): EntryKind {
  const mode = unixMode(view, header) & MODE.KIND;
  if (name.endsWith("/") || mode === MODE.DIRECTORY) return "directory";
  if (mode === MODE.LINK) return "link";
  if (mode === MODE.FILE || mode === 0) return "file";
  throw refuseZip(`entry "${name}" is neither a file nor a directory nor a link`);
}

/** Sizes, place and time, from the header or from the extra fields that replace its numbers. */
function readExtra(view: DataView, { at, end, header }: { at: number; end: number; header: number }) {
  let [packedBytes, size, offset] = [20, 24, 42].map((field) => view.getUint32(header + field, true)) as [
    number,
    number,
    number,
  ];
  let mtimeMs = dosTime(view.getUint16(header + 14, true), view.getUint16(header + 12, true));
  for (let next = at; next + 4 <= end;) {
    const [id, field] = [view.getUint16(next, true), next + 4];
    next = field + view.getUint16(next + 2, true);
    if (next > end) break;
    if (id === EXTRA.ZIP64) {
      let use = field;
      // Only those that did not fit are there, in this order.
      const take = (value: number) => value !== MAX_U32 || use + 8 > next ? value : u64(view, (use += 8) - 8);
      size = take(size);
      packedBytes = take(packedBytes);
      offset = take(offset);
    } else if (id === EXTRA.EXTENDED_TIME && next - field >= 5 && (view.getUint8(field) & 1) !== 0) {
      mtimeMs = view.getInt32(field + 1, true) * 1000;
    }
  }
  return { packedBytes, size, offset, mtimeMs };
}

function dosTime(date: number, time: number): number {
  const day = Date.UTC(1980 + (date >>> 9), ((date >>> 5) & 15) - 1, date & 31);
  return day + (((time >>> 11) * 60 + ((time >>> 5) & 63)) * 60 + (time & 31) * 2) * 1000;
}

/** Finds the contents of all entries. They must not overlap: bombs are made of entries that share contents. */
function locate(
  zip: Uint8Array,
  view: DataView,
  { listed, end }: { listed: readonly Listed[]; end: number },
): ZipEntry[] {
  const places = listed.map(({ name, rawName, offset, packedBytes, ...entry }) => {
    const bad = (what: string) => refuseZip(`entry "${name}" ${what}`);
    if (offset + LOCAL_HEADER.bytes > end) throw bad("lies beyond the end");
    if (view.getUint32(offset, true) !== LOCAL_HEADER.signature) throw bad("is not where it should be");
    const nameAt = offset + LOCAL_HEADER.bytes;
    const nameEnd = nameAt + view.getUint16(offset + 26, true);
    const start = nameEnd + view.getUint16(offset + 28, true);
    if (start + packedBytes > end) throw bad("lies beyond the end");
    if (!isSame(rawName, zip.subarray(nameAt, nameEnd))) throw bad("has two names");
    if (!entry.deflated && packedBytes !== entry.size) throw bad("has two sizes");
    return { offset, start, bytes: packedBytes, name, entry };
  });
  let used = 0;
  for (const { offset, start, bytes, name } of places.toSorted((a, b) => a.offset - b.offset)) {
    if (offset < used) throw refuseZip(`entry "${name}" shares its place with another one`);
    used = start + bytes;
  }
  return places.map(({ start, bytes, name, entry }) => ({
    ...entry,
    name,
    packed: zip.subarray(start, start + bytes),
  }));
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}
