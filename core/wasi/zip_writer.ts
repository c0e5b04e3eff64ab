/** Writes a ZIP of files, directories and links. Contents are stored as they are, so that its size is known before. */

import { crc32 } from "./crc32.ts";
import type { EntryKind } from "./zip_entries.ts";
import { CENTRAL_HEADER, END_RECORD, EXTRA, FLAG_UTF8, LOCAL_HEADER, MADE_ON_UNIX } from "./zip_format.ts";
import { MAX_U16, METHOD, MODE } from "./zip_format.ts";

export interface ZipItem {
  /** Path without a slash at its end. */
  readonly name: string;
  readonly kind: EntryKind;
  readonly executable: boolean;
  /** Milliseconds since 1970, kept to the second; null for the same time in every ZIP. */
  readonly mtimeMs: number | null;
  /** Of the contents, or of the target of a link; 0 for a directory. */
  readonly size: number;
  /** Copies the contents into an array of that size. */
  readonly read: (into: Uint8Array) => void;
}

/** What the format holds without its 64-bit extension. */
export const ZIP_MAX_ITEMS = MAX_U16;
/** Version 2.0: there are directories. */
const VERSION = 20;
/** Header, length, flag for the time of change, 32 bits of seconds. */
const TIME_FIELD_BYTES = 9;
/** The years that the format can say: 1980 to 2107. */
const DOS_MIN_MS = Date.UTC(1980, 0, 1);
const DOS_MAX_MS = Date.UTC(2107, 11, 31, 23, 59, 58);
const PERMISSIONS = { directory: 0o755, link: 0o777, file: 0o644, executable: 0o755 } as const;

const ENCODER = new TextEncoder();

/** What an item takes in a ZIP, bytes; `nameBytes` is the length of its name as UTF-8. */
export function zipItemBytes(nameBytes: number, size: number): number {
  // The slash of a directory is counted for all.
  return LOCAL_HEADER.bytes + CENTRAL_HEADER.bytes + 2 * (nameBytes + 1 + TIME_FIELD_BYTES) + size;
}

/** The ZIP of at most ZIP_MAX_ITEMS items, which have different names; their order is kept. */
export function packZip(items: readonly ZipItem[]): Uint8Array<ArrayBuffer> {
  if (items.length > ZIP_MAX_ITEMS) throw new RangeError(`a ZIP holds at most ${ZIP_MAX_ITEMS} entries`);
  const names = items.map(({ name, kind }) => ENCODER.encode(kind === "directory" ? `${name}/` : name));
  const bytes = items.reduce((sum, { size }, index) => sum + zipItemBytes(names[index]!.length, size), 0);
  const zip = new ZipOutput(bytes + END_RECORD.bytes);
  const placed = items.map((item, index) => zip.addFile(item, names[index]!));
  const start = zip.length;
  for (const one of placed) zip.addHeader(one);
  zip.addEnd(items.length, start);
  return zip.bytes();
}

interface Placed {
  readonly item: ZipItem;
  readonly name: Uint8Array;
  readonly offset: number;
  readonly crc: number;
}

class ZipOutput {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView;
  #at = 0;

  constructor(maxBytes: number) {
    this.#bytes = new Uint8Array(maxBytes);
    this.#view = new DataView(this.#bytes.buffer);
  }

  get length(): number {
    return this.#at;
  }

  bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#at);
  }

  /** Local header and contents. */
  addFile(item: ZipItem, name: Uint8Array): Placed {
    const offset = this.#at;
    const head = LOCAL_HEADER.bytes + name.length + extraBytes(item);
    const contents = this.#bytes.subarray(offset + head, offset + head + item.size);
    item.read(contents);
    const placed = { item, name, offset, crc: crc32(contents) };
    this.#u32(LOCAL_HEADER.signature);
    this.#common(placed);
    this.#nameAndExtra(placed);
    this.#at += item.size;
    return placed;
  }

  /** Entry of the central directory. */
  addHeader(placed: Placed): void {
    const { kind, executable } = placed.item;
    this.#u32(CENTRAL_HEADER.signature);
    this.#u16((MADE_ON_UNIX << 8) | VERSION);
    this.#common(placed);
    this.#u16(0); // comment
    this.#u16(0); // disk
    this.#u16(0); // internal attributes
    const kindBits = { file: MODE.FILE, directory: MODE.DIRECTORY, link: MODE.LINK }[kind];
    const permissions = kind === "file" && executable ? PERMISSIONS.executable : PERMISSIONS[kind];
    this.#u32((kindBits | permissions) * 0x10000);
    this.#u32(placed.offset);
    this.#nameAndExtra(placed);
  }

  addEnd(items: number, start: number): void {
    const bytes = this.#at - start;
    this.#u32(END_RECORD.signature);
    this.#u32(0); // disks
    this.#u16(items);
    this.#u16(items);
    this.#u32(bytes);
    this.#u32(start);
    this.#u16(0); // comment
  }

  /** What both headers have, from the version needed to the length of the extra fields. */
  #common({ item, name, crc }: Placed): void {
    const { date, time } = dosTime(item.mtimeMs ?? DOS_MIN_MS);
    for (const value of [VERSION, FLAG_UTF8, METHOD.STORED, time, date]) this.#u16(value);
    for (const value of [crc, item.size, item.size]) this.#u32(value);
    this.#u16(name.length);
    this.#u16(extraBytes(item));
  }

  #nameAndExtra({ item, name }: Placed): void {
    this.#bytes.set(name, this.#at);
    this.#at += name.length;
    if (extraBytes(item) === 0) return;
    this.#u16(EXTRA.EXTENDED_TIME);
    this.#u16(TIME_FIELD_BYTES - 4);
    this.#bytes[this.#at++] = 1;
    this.#u32(secondsOf(item)!);
  }

  #u16(value: number): void {
    this.#view.setUint16(this.#at, value, true);
    this.#at += 2;
  }

  #u32(value: number): void {
    this.#view.setUint32(this.#at, value, true);
    this.#at += 4;
  }
}

function extraBytes(item: ZipItem): number {
  return secondsOf(item) === null ? 0 : TIME_FIELD_BYTES;
}

/** Seconds since 1970, null when the field of 32 bits cannot say them. */
function secondsOf({ mtimeMs }: ZipItem): number | null {
  if (mtimeMs === null) return null;
  const seconds = Math.floor(mtimeMs / 1000);
  return seconds === (seconds | 0) ? seconds : null;
}

function dosTime(ms: number): { date: number; time: number } {
  const at = new Date(Math.min(Math.max(ms, DOS_MIN_MS), DOS_MAX_MS));
  const date = ((at.getUTCFullYear() - 1980) << 9) | ((at.getUTCMonth() + 1) << 5) | at.getUTCDate();
  const time = (at.getUTCHours() << 11) | (at.getUTCMinutes() << 5) | (at.getUTCSeconds() >>> 1);
  return { date, time };
}
