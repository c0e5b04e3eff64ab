/** Durations as people write them: `500ms`, `30s`, `5m`, `1h30m`. */

import { usageError } from "./usage_error.ts";

const UNITS_MS: ReadonlyArray<readonly [unit: string, ms: number]> = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
  ["ms", 1],
];

const PART = /(\d{1,12}(?:\.\d{1,3})?)(ms|s|m|h|d)/y;

/** Milliseconds, a whole number; `0` needs no unit. Rejects anything else as wrong usage. */
export function parseDuration(text: string): number {
  if (text === "0") return 0;
  if (/^\d+$/.test(text)) throw usageError(`"${text}" has no unit: write "${text}s" or "${text}m"`);
  let total = 0;
  let end = 0;
  PART.lastIndex = 0;
  for (let part = PART.exec(text); part !== null; part = PART.exec(text)) {
    total += Number(part[1]) * UNITS_MS.find(([unit]) => unit === part![2])![1];
    end = PART.lastIndex;
  }
  if (end === 0 || end !== text.length || !Number.isSafeInteger(Math.round(total))) {
    throw usageError(`"${text}" is no duration: write a number and a unit, such as "90s" or "1h30m"`);
  }
  return Math.round(total);
}

/** The duration in as few parts as keep it exact; `parseDuration` reads it back. */
export function formatDuration(ms: number): string {
  let rest = ms;
  let text = "";
  for (const [unit, factor] of UNITS_MS) {
    const count = Math.floor(rest / factor);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * factor;
  }
  return text === "" ? "0s" : text;
}
