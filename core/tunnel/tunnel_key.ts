/** The key of a tunnel client: its id, and what it signs with. */

import { WasimoffError } from "../errors.ts";
import { base32 } from "./base32.ts";

/** ES256 (RFC 7518 3.4): ECDSA on P-256 with SHA-256, signatures are r and s in 64 bytes. */
const ES256 = { name: "ECDSA", hash: "SHA-256" } as const;
const P256 = { name: "ECDSA", namedCurve: "P-256" } as const;
/** An uncompressed point: 0x04, x, y. */
const POINT_BYTES = 65;
const COORDINATE_BYTES = 32;

/** Who a tunnel client is; the private half stays inside. */
export interface TunnelIdentity {
  /** See `tunnelKeyId`. */
  readonly id: string;
  /** Uncompressed point of P-256. */
  readonly publicKey: Uint8Array;
  /** ES256 over the bytes. */
  sign(bytes: Uint8Array): Promise<Uint8Array>;
}

/** An identity from a pair of keys of WebCrypto; the public one must be extractable. */
export async function tunnelIdentity({ privateKey, publicKey }: CryptoKeyPair): Promise<TunnelIdentity> {
  const point = new Uint8Array(await crypto.subtle.exportKey("raw", publicKey));
  return {
    id: await tunnelKeyId(point),
    publicKey: point,
    sign: async (bytes) => new Uint8Array(await crypto.subtle.sign(ES256, privateKey, bytes.slice())),
  };
}

/** A new pair of keys, for `tunnelIdentity`. */
export function generateTunnelKey(): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey(P256, true, ["sign", "verify"]);
}

/** The public key as a JWK with exactly the members of its thumbprint (RFC 7638). */
export function tunnelKeyJwk(publicKey: Uint8Array): { crv: string; kty: string; x: string; y: string } {
  const coordinate = (at: number) =>
    publicKey.subarray(at, at + COORDINATE_BYTES).toBase64({ alphabet: "base64url", omitPadding: true });
  return { crv: "P-256", kty: "EC", x: coordinate(1), y: coordinate(1 + COORDINATE_BYTES) };
}

/**
 * The id of a public key: lower-case unpadded base32 of SHA-256 over its RFC 7638 thumbprint JSON, 52 characters, as
 * Brickchain computes it.
 */
export async function tunnelKeyId(publicKey: Uint8Array): Promise<string> {
  const json = new TextEncoder().encode(JSON.stringify(tunnelKeyJwk(publicKey)));
  return base32(new Uint8Array(await crypto.subtle.digest("SHA-256", json)));
}

/**
 * Whether the owner of this public key has signed the bytes. Throws `invalid_argument` for a key that is no point of
 * P-256.
 */
export async function verifyTunnelSignature(
  publicKey: Uint8Array,
  signature: Uint8Array,
  bytes: Uint8Array,
): Promise<boolean> {
  if (publicKey.length !== POINT_BYTES || publicKey[0] !== 4) throw wrongKey();
  try {
    const key = await crypto.subtle.importKey("raw", publicKey.slice(), P256, false, ["verify"]);
    return await crypto.subtle.verify(ES256, key, signature.slice(), bytes.slice());
  } catch (cause) {
    throw wrongKey(cause); // Deno tells of a point that is not on the curve only when it verifies
  }
}

function wrongKey(cause?: unknown): WasimoffError {
  return new WasimoffError("invalid_argument", "key is none of P-256: 65 bytes, an uncompressed point", {
    cause,
  });
}
