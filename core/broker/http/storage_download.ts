/** `GET` and `HEAD /api/storage/{name-or-ref}`: a file or a range of it (wasimoff-v1 5.4). */

import type { FileNames } from "../../storage/file_names.ts";
import type { FileStore, StoredFile } from "../../storage/file_store.ts";
import { matchesTag, parseRange } from "./byte_range.ts";
import type { HttpContext } from "./http_env.ts";
import { nameInUrl, noSuchFile, resolveName } from "./storage_path.ts";

export interface StorageDownloadDeps {
  readonly files: FileStore;
  readonly names: FileNames;
}

/** What a ref stands for never changes; shared caches are no place for what a token protects. */
const CACHE_REF = "private, max-age=31536000, immutable";
/** A name may stand for another file at any time: ask again, by the entity tag. */
const CACHE_NAME = "private, no-cache";

export async function downloadFile(
  context: HttpContext,
  { files, names }: StorageDownloadDeps,
): Promise<Response> {
  const name = nameInUrl(context.req.url);
  const ref = resolveName(names, name);
  const file = await files.stat(ref);
  if (file === null) throw noSuchFile(name);
  const headers = fileHeaders(file, name === ref ? CACHE_REF : CACHE_NAME);
  const tag = `"${ref}"`;
  if (matchesTag(context.req.header("if-none-match") ?? null, tag)) {
    return new Response(null, { status: 304, headers });
  }
  const ifRange = context.req.header("if-range") ?? tag;
  const range = ifRange === tag ? parseRange(context.req.header("range") ?? null, file.size) : null;
  if (range === "unsatisfiable") {
    headers.set("content-range", `bytes */${file.size}`);
    return new Response(null, { status: 416, headers });
  }
  headers.set("content-type", file.media);
  headers.set("content-length", String(range === null ? file.size : range.end - range.start));
  if (range !== null) headers.set("content-range", `bytes ${range.start}-${range.end - 1}/${file.size}`);
  const status = range === null ? 200 : 206;
  if (context.req.method === "HEAD") return new Response(null, { status, headers });
  const body = await files.read(ref, range ?? undefined);
  if (body === null) throw noSuchFile(name); // evicted or found rotten since `stat`
  return new Response(body as ReadableStream<Uint8Array<ArrayBuffer>>, { status, headers });
}

function fileHeaders({ ref }: StoredFile, cacheControl: string): Headers {
  return new Headers({
    "etag": `"${ref}"`,
    "x-wasimoff-ref": ref,
    "accept-ranges": "bytes",
    "cache-control": cacheControl,
    "x-content-type-options": "nosniff",
  });
}
