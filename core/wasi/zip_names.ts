/** Names of ZIP entries, checked before they become paths. */

import { WasimoffError } from "../errors.ts";
import { NAME_MAX_BYTES } from "./path.ts";
import { PATH_MAX_BYTES } from "./symlink.ts";

const DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const ENCODER = new TextEncoder();

/** The text of a name or target. Throws `invalid_argument` for what is no UTF-8, too long or contains NUL. */
export function decodeZipText(raw: Uint8Array, what: string): string {
  if (raw.length > PATH_MAX_BYTES) throw refuseZip(`${what} is too long`);
  try {
    const text = DECODER.decode(raw);
    if (!text.includes("\0")) return text;
  } catch (error) {
    throw refuseZip(`${what} is not valid UTF-8`, error);
  }
  throw refuseZip(`${what} contains a NUL`);
}

/**
 * The parts of a name; `.` and empty ones are left out. Throws `invalid_argument` for what is absolute, climbs
 * with `..`, or has a backslash (a separator to some programs, a letter to others).
 */
export function splitEntryName(name: string): string[] {
  if (name.startsWith("/")) throw refuseZip(`entry "${name}" has an absolute name`);
  if (name.includes("\\")) throw refuseZip(`entry "${name}" has a backslash in its name`);
  const parts = name.split("/").filter((part) => part !== "" && part !== ".");
  for (const part of parts) {
    if (part === "..") throw refuseZip(`entry "${name}" leads out of its directory`);
    if (part.length * 3 > NAME_MAX_BYTES && ENCODER.encode(part).length > NAME_MAX_BYTES) {
      throw refuseZip(`entry "${name}" is too long`);
    }
  }
  return parts;
}

/** The error of all that is wrong with a ZIP. */
export function refuseZip(reason: string, cause?: unknown): WasimoffError {
  return new WasimoffError("invalid_argument", `unpack ZIP: ${reason}`, { cause });
}
