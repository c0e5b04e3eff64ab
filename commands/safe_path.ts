/** Names from a ZIP that somebody else made. */

import { WasimoffError } from "../core/errors.ts";

/** Parts of a path below a directory; `permission_denied` for a name that could lead out of it. */
export function safePath(name: string): readonly string[] {
  const parts = name.replace(/\/$/, "").split("/");
  const escapes = parts.some((part) => part === "" || part === "." || part === "..");
  if (escapes || name.includes("\\") || name.includes("\0")) {
    throw new WasimoffError("permission_denied", `unpack: the name "${name}" leads out of the directory`);
  }
  return parts;
}

/** Whether a link with this target stays below the directory it is in, whatever other links there are. */
export function isDownward(target: string): boolean {
  return target !== "" && !target.startsWith("/") && !target.includes("\0") &&
    !target.split("/").includes("..");
}
