/** Times as MS-DOS and ZIPs have them: no zone, seconds in twos (APPNOTE.TXT 6.3.10 of PKWARE, 4.4.6). */

/** The years that the format can say: 1980 to 2107. */
const MIN_MS = Date.UTC(1980, 0, 1);
const MAX_MS = Date.UTC(2107, 11, 31, 23, 59, 58);

/** Milliseconds since 1970; the time is taken for UTC, so that it is the same everywhere. */
export function fromDosTime(dos: number): number {
  const day = Date.UTC(1980 + (dos >>> 25), ((dos >>> 21) & 15) - 1, (dos >>> 16) & 31);
  return day + (((dos >>> 11) & 31) * 3600 + ((dos >>> 5) & 63) * 60 + (dos & 31) * 2) * 1000;
}

/** 32 bits, in UTC; what is before or after the years of the format becomes the first or last time it has. */
export function toDosTime(ms: number): number {
  const at = new Date(Math.min(Math.max(ms, MIN_MS), MAX_MS));
  const date = ((at.getUTCFullYear() - 1980) << 9) | ((at.getUTCMonth() + 1) << 5) | at.getUTCDate();
  const time = (at.getUTCHours() << 11) | (at.getUTCMinutes() << 5) | (at.getUTCSeconds() >>> 1);
  return ((date << 16) | time) >>> 0;
}
