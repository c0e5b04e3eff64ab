/** Names from a ZIP that somebody else made. */

import { splitEntryName } from "../core/wasi/zip_names.ts";
import { WasimoffError } from "../core/errors.ts";

/** Devices of Windows, which are everywhere, whatever comes after a dot. */
const WINDOWS_DEVICE = /^(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9\u00b9\u00b2\u00b3])\s*(\.|$)/i;
/** Drives, streams, wildcards, and what Windows cuts off at the end of a name. */
// deno-lint-ignore no-control-regex -- they are what must not be there
const WINDOWS_REFUSES = /[<>:"|?*\x00-\x1f]|[. ]$/;

/**
 * Parts of a path below a directory. Throws `invalid_argument` for a name that could lead out of it, or stands for
 * something else than a file on this system.
 */
export function safePath(name: string, system: typeof Deno.build.os = Deno.build.os): readonly string[] {
  const parts = splitEntryName(name);
  const odd = (part: string) => WINDOWS_REFUSES.test(part) || WINDOWS_DEVICE.test(part);
  if (system === "windows" && parts.some(odd)) {
    throw new WasimoffError("invalid_argument", `unpack ZIP: Windows cannot have a file "${name}"`);
  }
  return parts;
}

/**
 * Whether a link that lies `depth` real directories below the top stays below it, whatever other links there are: it
 * may climb first, as far as it is deep, and then only go down, as the other links do.
 */
export function staysBelow(
  target: string,
  depth: number,
  system: typeof Deno.build.os = Deno.build.os,
): boolean {
  if (system === "windows" && /\\|:/.test(target)) return false;
  if (target === "" || target.startsWith("/") || target.includes("\0")) return false;
  const parts = target.split("/").filter((part) => part !== "" && part !== ".");
  const climbs = parts.findIndex((part) => part !== "..");
  const ups = climbs < 0 ? parts.length : climbs;
  return ups <= depth && !parts.slice(ups).includes("..");
}
