/** Names of ZIP entries, checked before they become paths. */

import { WasimoffError } from "../errors.ts";
import { NAME_MAX_BYTES } from "./path.ts";
import { PATH_MAX_BYTES } from "./symlink.ts";

/**
 * The parts of a name; `.` and empty ones are left out. Rejects with `invalid_argument` what is absolute, climbs
 * with `..`, has a backslash (a separator to some programs, a letter to others), or is no UTF-8.
 */
export function splitEntryName(raw: Uint8Array): string[] {
  if (raw.length > PATH_MAX_BYTES) throw refuse("a name is too long");
  let name: string;
  try {
    name = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(raw);
  } catch (error) {
    throw refuse("a name is not valid UTF-8", error);
  }
  if (name.startsWith("/")) throw refuse(`entry "${name}" has an absolute name`);
  if (name.includes("\\")) throw refuse(`entry "${name}" has a backslash in its name`);
  if (name.includes("\0")) throw refuse("a name contains a NUL");
  const parts = name.split("/").filter((part) => part !== "" && part !== ".");
  for (const part of parts) {
    if (part === "..") throw refuse(`entry "${name}" leads out of its directory`);
    if (new TextEncoder().encode(part).length > NAME_MAX_BYTES) throw refuse(`entry "${name}" is too long`);
  }
  return parts;
}

function refuse(reason: string, cause?: unknown): WasimoffError {
  return new WasimoffError("invalid_argument", `unpack ZIP: ${reason}`, { cause });
}
