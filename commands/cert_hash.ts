/** Hashes of certificates as flags take them, in hex as openssl, browsers and we write them. */

import type { FlagKind } from "./flag_kinds.ts";
import { usageError } from "./usage_error.ts";

/** Repeated, with commas between them, or both; with colons between the bytes or without. */
export const certHashes: FlagKind<readonly Uint8Array[]> = {
  values: "many",
  placeholder: "SHA256",
  parse: (texts) => texts.flatMap((text) => text.split(",")).filter((text) => text !== "").map(parseCertHash),
  format: (hashes) => hashes.map((hash) => hash.toHex()).join(","),
};

function parseCertHash(text: string): Uint8Array {
  const hex = text.trim().replaceAll(":", "");
  if (/^[0-9a-f]{64}$/i.test(hex)) return Uint8Array.fromHex(hex);
  throw usageError(`"${text}" is no SHA-256 of a certificate: give 64 hexadecimal digits`);
}
