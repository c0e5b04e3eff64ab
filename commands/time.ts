/** Points in time as people write them: RFC 3339, or a duration from now such as `+10m`. */

import { parseDuration } from "./duration.ts";
import { usageError } from "./usage_error.ts";

/** RFC 3339 section 5.6; the offset is required, so that the same text means the same moment everywhere. */
const RFC3339 = /^(\d{4}-\d\d-(\d\d))[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)$/;

/** Unix milliseconds. Rejects a text of another form, and a day that does not exist, as wrong usage. */
export function parseTime(text: string, nowMs: number): number {
  if (text.startsWith("+")) return nowMs + parseDuration(text.slice(1));
  const [, date = "", day] = RFC3339.exec(text) ?? [];
  const ms = Date.parse(text.replace(" ", "T").toUpperCase());
  // The platform takes 30 February for 2 March.
  const exists = new Date(Date.parse(date)).getUTCDate() === Number(day);
  if (!exists || Number.isNaN(ms)) {
    throw usageError(
      `"${text}" is no time: write "2026-12-31T18:00:00Z", or "+10m" for ten minutes from now`,
    );
  }
  return ms;
}

/** RFC 3339 in UTC; `parseTime` reads it back. */
export function formatTime(ms: number): string {
  return new Date(ms).toISOString();
}
