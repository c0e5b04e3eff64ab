/** Fetches files from a broker over HTTP. */

import { WasimoffError } from "../errors.ts";
import type { FileRef } from "../storage/file_store.ts";

export interface FetchFileOptions {
  /** null for none. */
  readonly token: string | null;
  readonly signal: AbortSignal;
}

/**
 * The content of a file below `storage`, as it arrives and not yet verified. Rejects with `not_found`,
 * `unauthenticated`, or `unavailable` when the broker cannot be reached or answers otherwise.
 */
export async function fetchFile(
  storage: URL,
  ref: FileRef,
  { token, signal }: FetchFileOptions,
): Promise<AsyncIterable<Uint8Array>> {
  const url = `${storage.href.replace(/\/$/, "")}/${ref}`; // not resolved: "sha256:" would pass for a scheme
  const headers: HeadersInit = token === null ? {} : { authorization: `Bearer ${token}` };
  let response: Response;
  try {
    response = await fetch(url, { headers, signal });
  } catch (cause) {
    if (signal.aborted) throw signal.reason;
    throw new WasimoffError("unavailable", `cannot fetch "${url}" from the broker`, { cause });
  }
  if (response.ok && response.body !== null) return response.body;
  await response.body?.cancel();
  if (response.status === 404) throw new WasimoffError("not_found", `broker does not have "${ref}"`);
  const code = response.status === 401 ? "unauthenticated" : "unavailable";
  throw new WasimoffError(code, `broker answered ${response.status} for "${ref}"`);
}
