/** What failures of the file system mean for a store that lives in a directory. */

import { WasimoffError } from "../errors.ts";

/** No space, no quota, file too large for the medium. */
const FULL: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);
/** Out of descriptors: passes when others close theirs. */
const BUSY: ReadonlySet<string> = new Set(["EMFILE", "ENFILE"]);

/** An error with a code of the operating system as one of ours that names the directory; others unchanged. */
export function directoryError(thrown: unknown, directory: string): unknown {
  if (thrown instanceof WasimoffError || !(thrown instanceof Error)) return thrown;
  const system = "code" in thrown && typeof thrown.code === "string" ? thrown.code : null;
  if (system === null) return thrown;
  const cause = { cause: thrown };
  if (FULL.has(system)) {
    return new WasimoffError("resource_exhausted", `directory "${directory}" is full: ${system}`, cause);
  }
  if (BUSY.has(system)) {
    return new WasimoffError("resource_exhausted", `too many files are open: ${system}`, cause);
  }
  return new WasimoffError(
    "failed_precondition",
    `directory "${directory}" cannot be used: ${system}, give one that this user may read and write`,
    cause,
  );
}

/** Runs an operation on a store's directory and translates its errors. */
export async function inDirectory<T>(directory: string, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    throw directoryError(error, directory);
  }
}
