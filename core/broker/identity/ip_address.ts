/** IP addresses as bytes, so that addresses and ranges can be compared. */

/** 4 or 16 bytes. An IPv4 address inside IPv6 (`::ffff:10.0.0.1`) is the IPv4 address, as sockets report both. */
export type IpAddress = Uint8Array;

/** The bytes of an address as text, with or without brackets and zone; null for anything else. */
export function parseIpAddress(text: string): IpAddress | null {
  const bare = text.replace(/^\[(.*)\]$/, "$1").replace(/%[\w.-]+$/, "");
  if (!bare.includes(":")) return parseIpv4(bare);
  const bytes = parseIpv6(bare);
  if (bytes === null) return null;
  const mapped = bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff &&
    bytes[11] === 0xff;
  return mapped ? bytes.slice(12) : bytes;
}

/** Whether an address is of this machine: 127.0.0.0/8 or ::1. */
export function isLoopback(address: IpAddress): boolean {
  if (address.length === 4) return address[0] === 127;
  return address.every((byte, i) => byte === (i === 15 ? 1 : 0));
}

/** Four decimal numbers without leading zeros, which some parsers take for octal. */
function parseIpv4(text: string): Uint8Array | null {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part))) return null;
  const numbers = parts.map(Number);
  return numbers.every((number) => number <= 255) ? Uint8Array.from(numbers) : null;
}

function parseIpv6(text: string): Uint8Array | null {
  const halves = text.split("::");
  if (halves.length > 2) return null;
  const [head, tail] = halves.map((half, i) => parseGroups(half, i === halves.length - 1));
  if (head === null || tail === null || head === undefined) return null;
  const missing = 16 - head.length - (tail?.length ?? 0);
  // "::" stands for at least one group; without it all eight must be there.
  if (tail === undefined ? missing !== 0 : missing < 2) return null;
  return Uint8Array.from([...head, ...new Array<number>(missing).fill(0), ...tail ?? []]);
}

/** Groups between colons as bytes; the last may be an IPv4 address. */
function parseGroups(text: string, last: boolean): number[] | null {
  if (text === "") return [];
  const groups = text.split(":");
  const bytes: number[] = [];
  for (const [i, group] of groups.entries()) {
    if (last && i === groups.length - 1 && group.includes(".")) {
      const ipv4 = parseIpv4(group);
      if (ipv4 === null) return null;
      bytes.push(...ipv4);
    } else if (/^[0-9a-f]{1,4}$/i.test(group)) {
      const number = parseInt(group, 16);
      bytes.push(number >> 8, number & 0xff);
    } else return null;
  }
  return bytes;
}
