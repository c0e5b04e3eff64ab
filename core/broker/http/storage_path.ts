/** The `{name-or-ref}` at the end of the path of a request. */

import { WasimoffError } from "../../errors.ts";
import { checkFileName, type FileNames } from "../../storage/file_names.ts";
import { type FileRef, isFileRef } from "../../storage/file_store.ts";

export const STORAGE_PATH = "/api/storage/";

/**
 * The name or ref that a URL asks for, decoded once; the router's own decoding is not relied on. Throws
 * `not_found` for deeper paths and `invalid_argument` for what can be no name, such as `..%2Ffile`.
 */
export function nameInUrl(url: string, prefix: string = STORAGE_PATH): string {
  const raw = new URL(url).pathname.slice(prefix.length);
  if (raw.includes("/")) throw new WasimoffError("not_found", "no such path: files have no folders");
  let name: string;
  try {
    name = decodeURIComponent(raw);
  } catch (cause) {
    throw new WasimoffError("invalid_argument", "file name is not encoded as a URL wants it", { cause });
  }
  if (!isFileRef(name)) checkFileName(name);
  return name;
}

/** The ref behind a name or ref; throws `not_found` for an unknown name. */
export function resolveName(names: FileNames, name: string): FileRef {
  const ref = names.resolve(name);
  if (ref === null) throw noSuchFile(name);
  return ref;
}

export function noSuchFile(name: string): WasimoffError {
  return new WasimoffError("not_found", `file "${name}" is not stored here: upload it first`);
}
