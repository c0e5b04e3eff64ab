/** ZIPs as the format note of PKWARE lays them out, so that tests can also write wrong ones. */

/** One entry; contents are stored, or deflated already when `packed` is given. */
export interface ZipItem {
  readonly name: string | Uint8Array;
  readonly contents?: Uint8Array;
  readonly packed?: Uint8Array;
  /** POSIX mode; regular files by default. */
  readonly mode?: number;
  /** General purpose flags; bit 0 is encryption. */
  readonly flags?: number;
  /** What the headers say about the unpacked size, when it is a lie. */
  readonly declaredBytes?: number;
}

interface Field {
  readonly bytes: number;
  readonly value: number;
}

const u16 = (value: number): Field => ({ bytes: 2, value });
const u32 = (value: number): Field => ({ bytes: 4, value });

function pack(fields: readonly Field[]): number[] {
  return fields.flatMap(({ bytes, value }) =>
    Array.from({ length: bytes }, (_, at) => (value >>> (8 * at)) & 255)
  );
}

/** Made on Unix, version 2.0. */
const MADE_BY = 0x0314;
/** 2024-02-03 04:05:06 as DOS date and time. */
const DOS_TIME = (4 << 11) | (5 << 5) | 3;
const DOS_DATE = ((2024 - 1980) << 9) | (2 << 5) | 3;

export function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ ((crc & 1) * 0xedb88320);
  }
  return (crc ^ 0xffffffff) >>> 0;
}

/** Writes a ZIP with these entries in this order. */
export function zipOf(items: readonly ZipItem[]): Uint8Array {
  const out: number[] = [];
  const central: number[] = [];
  for (const item of items) {
    const name = typeof item.name === "string" ? new TextEncoder().encode(item.name) : item.name;
    const contents = item.contents ?? new Uint8Array(0);
    const data = item.packed ?? contents;
    const common = [
      u16(20),
      u16(0x800 | (item.flags ?? 0)),
      u16(item.packed === undefined ? 0 : 8),
      u16(DOS_TIME),
      u16(DOS_DATE),
      u32(crc32(contents)),
      u32(data.length),
      u32(item.declaredBytes ?? contents.length),
      u16(name.length),
      u16(0),
    ];
    const mode = (item.mode ?? 0o100644) * 65_536;
    central.push(
      ...pack([u32(0x02014b50), u16(MADE_BY), ...common, u16(0), u16(0), u16(0), u32(mode), u32(out.length)]),
    );
    central.push(...name);
    out.push(...pack([u32(0x04034b50), ...common]), ...name, ...data);
  }
  const start = out.length;
  out.push(...central);
  const count = u16(items.length);
  out.push(...pack([u32(0x06054b50), u16(0), u16(0), count, count, u32(central.length), u32(start), u16(0)]));
  return new Uint8Array(out);
}

/** Raw deflate, as ZIP method 8 has it. */
export async function deflate(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
