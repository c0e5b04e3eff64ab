/** `Range` and `If-None-Match` of requests for files (RFC 9110 13.1 and 14). */

import type { ByteRange } from "../../storage/file_store.ts";

/**
 * The part of `size` bytes that a Range header asks for: null for all of it (no header, another unit, several
 * ranges or nonsense, which a server may ignore), `unsatisfiable` when no such byte exists (416).
 */
export function parseRange(header: string | null, size: number): ByteRange | "unsatisfiable" | null {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? "");
  if (match === null) return null;
  const [first, last] = [match[1]!, match[2]!];
  if (first === "" && last === "") return null;
  if (first === "") {
    const length = Math.min(Number(last), size);
    return length === 0 ? "unsatisfiable" : { start: size - length, end: size };
  }
  const start = Number(first);
  if (last !== "" && Number(last) < start) return null;
  if (start >= size) return "unsatisfiable";
  return { start, end: last === "" ? size : Math.min(Number(last) + 1, size) };
}

/** Whether an If-None-Match header names this entity tag; weak tags count as their strong ones. */
export function matchesTag(header: string | null, tag: string): boolean {
  if (header === null) return false;
  return header.split(",").some((entry) => ["*", tag, `W/${tag}`].includes(entry.trim()));
}
