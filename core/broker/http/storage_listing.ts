/** `GET /api/storage` and `DELETE /api/storage/{name-or-ref}`. */

import type { FileNames } from "../../storage/file_names.ts";
import { type FileStore, isFileRef } from "../../storage/file_store.ts";
import type { HttpContext } from "./http_env.ts";
import { nameInUrl, noSuchFile } from "./storage_path.ts";

export interface StorageListingDeps {
  readonly files: FileStore;
  readonly names: FileNames;
}

/** Answers `{"schema":1,"files":[{"ref","media","size","names"}]}`, most recently used first. */
export async function listFiles(
  context: HttpContext,
  { files, names }: StorageListingDeps,
): Promise<Response> {
  const byRef = names.byRef();
  const listed = (await files.list()).map((file) => ({ ...file, names: byRef.get(file.ref) ?? [] }));
  return context.json({ schema: 1, files: listed });
}

/**
 * Removes a name of the caller's own, or the file behind a ref together with its names: 403 when one of them is
 * somebody else's, 404 when there is nothing. Answers 204.
 */
export async function deleteFile(
  context: HttpContext,
  { files, names }: StorageListingDeps,
): Promise<Response> {
  const name = nameInUrl(context.req.url);
  const owner = context.get("identity");
  if (isFileRef(name)) {
    await names.deleteRef(name, owner);
    if (!await files.delete(name)) throw noSuchFile(name);
  } else if (!await names.delete(name, owner)) throw noSuchFile(name);
  return context.body(null, 204);
}
