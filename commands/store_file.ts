/** Makes sure that the broker has a file. */

import { WasimoffError } from "../core/errors.ts";
import type { FileRef } from "../core/storage/file_store.ts";
import type { BrokerHttp } from "./broker_http.ts";

/** The reference of the bytes; they are sent only when the broker does not have them. */
export async function storeFile(
  broker: BrokerHttp,
  bytes: Uint8Array,
  signal: AbortSignal,
): Promise<FileRef> {
  const content = bytes as Uint8Array<ArrayBuffer>;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", content));
  const ref: FileRef = `sha256:${digest.toHex()}`;
  if (await has(broker, ref, signal)) return ref;
  const body = new Blob([content]).stream();
  const response = await broker.request("POST", "api/storage/upload", { body, signal });
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
