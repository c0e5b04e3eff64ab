/** The checksum of ZIPs (CRC-32 of ISO 3309, reflected), eight bytes at a time. */

const POLYNOMIAL = 0xedb88320;
const TABLES = 8;

/** TABLE[256 * n + byte] is the checksum of the byte with n zeros behind it. */
const TABLE = makeTable();

function makeTable(): Uint32Array {
  const table = new Uint32Array(256 * TABLES);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ ((crc & 1) * POLYNOMIAL);
    table[byte] = crc;
  }
  for (let at = 256; at < table.length; at++) {
    const before = table[at - 256]!;
    table[at] = table[before & 255]! ^ (before >>> 8);
  }
  return table;
}

export function crc32(bytes: Uint8Array): number {
  let crc = -1;
  let at = 0;
  for (const last = bytes.length - TABLES; at <= last; at += TABLES) {
    crc ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    crc = TABLE[1792 + (crc & 255)]! ^ TABLE[1536 + ((crc >>> 8) & 255)]! ^
      TABLE[1280 + ((crc >>> 16) & 255)]! ^ TABLE[1024 + (crc >>> 24)]! ^
      TABLE[768 + bytes[at + 4]!]! ^ TABLE[512 + bytes[at + 5]!]! ^
      TABLE[256 + bytes[at + 6]!]! ^ TABLE[bytes[at + 7]!]!;
  }
  for (; at < bytes.length; at++) crc = TABLE[(crc ^ bytes[at]!) & 255]! ^ (crc >>> 8);
  return ~crc >>> 0;
}
