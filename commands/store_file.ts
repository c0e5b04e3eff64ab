/** Makes sure that the broker has a file. */

import { WasimoffError } from "../core/errors.ts";
import type { FileRef } from "../core/storage/file_store.ts";
import type { BrokerHttp } from "./broker_http.ts";
import { fileRef } from "./file_ref.ts";

/** `media` is their type, where it does not show. */
export interface StoreFileOptions {
  readonly media?: string;
  readonly signal: AbortSignal;
}

/** The reference of the bytes; they are sent only when the broker does not have them. */
export async function storeFile(
  broker: BrokerHttp,
  bytes: Uint8Array,
  options: StoreFileOptions,
): Promise<FileRef> {
  const { signal } = options;
  const ref = await fileRef(bytes);
  if (await has(broker, ref, signal)) return ref;
  const body = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream();
  const response = await broker.request("POST", "api/storage/upload", { ...options, body });
  const answered = (await response.text()).trim();
  if (answered === ref) return ref;
  throw new WasimoffError("data_loss", `the broker stored "${answered}" instead of "${ref}": try again`);
}

async function has(broker: BrokerHttp, ref: FileRef, signal: AbortSignal): Promise<boolean> {
  try {
    const response = await broker.request("HEAD", `api/storage/${ref}`, { signal });
    await response.body?.cancel();
    return true;
  } catch (error) {
    if (error instanceof WasimoffError && error.code === "not_found") return false;
    throw error;
  }
}
