/** Sizes in bytes as people write them: `512MiB`, `64k`, `1.5GB`, `4096`. */

import { usageError } from "./usage_error.ts";

/** One letter alone means the binary unit, as in docker and ulimit. */
const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  k: 1024,
  kib: 1024,
  kb: 1000,
  m: 1024 ** 2,
  mib: 1024 ** 2,
  mb: 1000 ** 2,
  g: 1024 ** 3,
  gib: 1024 ** 3,
  gb: 1000 ** 3,
  t: 1024 ** 4,
  tib: 1024 ** 4,
  tb: 1000 ** 4,
};

const SIZE = /^(\d{1,15}(?:\.\d{1,6})?)\s?([a-z]{0,3})$/i;

/** Bytes, a whole number; upper and lower case of the unit are the same. Rejects anything else as wrong usage. */
export function parseSize(text: string): number {
  const match = SIZE.exec(text);
  const unit = UNITS[match?.[2]?.toLowerCase() ?? "?"];
  const bytes = match === null || unit === undefined ? NaN : Number(match[1]) * unit;
  if (!Number.isSafeInteger(Math.round(bytes))) {
    throw usageError(`"${text}" is no size: write a number and a unit, such as "512MiB"`);
  }
  return Math.round(bytes);
}

/** The size in the largest binary unit that keeps it whole; `parseSize` reads it back to the same bytes. */
export function formatSize(bytes: number): string {
  for (const [unit, factor] of [["GiB", 1024 ** 3], ["MiB", 1024 ** 2], ["KiB", 1024]] as const) {
    if (bytes >= factor && bytes % factor === 0) return `${bytes / factor}${unit}`;
  }
  return `${bytes}B`;
}

/** The size for people, rounded to one decimal. */
export function roundSize(bytes: number): string {
  for (const [unit, factor] of [["GiB", 1024 ** 3], ["MiB", 1024 ** 2], ["KiB", 1024]] as const) {
    if (bytes >= factor) return `${(bytes / factor).toFixed(1)} ${unit}`;
  }
  return `${bytes} B`;
}
