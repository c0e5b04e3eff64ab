/** What a tunnel client signs to register (core/protocol/README.md, "Tunnels"). */

import { WasimoffError } from "../errors.ts";
import { OpenTunnel_Kind as Kind } from "../protocol/gen/wasimoff/v2/wasimoff_pb.ts";
import { tunnelKeyId, verifyTunnelSignature } from "./tunnel_key.ts";

export interface SignedFields {
  readonly nonce: Uint8Array;
  readonly kind: Kind;
  /** As it is asked for: empty for the id of the key. */
  readonly name: string;
  readonly audience: string;
  readonly instance: Uint8Array;
}

export interface Registration extends SignedFields {
  readonly key: Uint8Array;
  readonly signature: Uint8Array;
}

/** Keeps these signatures apart from all others that the same key makes (Brickchain's JWS). */
const DOMAIN = "wasimoff_v2 open_tunnel";

/** The signed bytes: each field after its length in four bytes, big-endian. */
export function registrationBytes({ nonce, kind, name, audience, instance }: SignedFields): Uint8Array {
  const encoder = new TextEncoder();
  const fields = [
    encoder.encode(DOMAIN),
    nonce,
    Uint8Array.of(kind),
    encoder.encode(name),
    encoder.encode(audience),
    instance,
  ];
  const bytes = new Uint8Array(fields.reduce((sum, field) => sum + 4 + field.length, 0));
  let at = 0;
  for (const field of fields) {
    new DataView(bytes.buffer).setUint32(at, field.length);
    bytes.set(field, at + 4);
    at += 4 + field.length;
  }
  return bytes;
}

/** The id of the key that has signed; rejects with `invalid_argument` or `permission_denied`. */
export async function verifyRegistration({ key, signature, ...fields }: Registration): Promise<string> {
  if (!await verifyTunnelSignature(key, signature, registrationBytes(fields))) {
    throw new WasimoffError("permission_denied", "signature of the tunnel does not match its key");
  }
  return await tunnelKeyId(key);
}
