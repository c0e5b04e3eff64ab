/** Under which id a server knows a tunnel client (brickchain.md 3.4). */

import { base32 } from "../base32.ts";
import { tunnelKeyId } from "../tunnel_key.ts";

/** The id of the key, or, with a session, another one that is as long. */
export async function brickchainClientId(publicKey: Uint8Array, session: string): Promise<string> {
  const id = await tunnelKeyId(publicKey);
  if (session === "") return id;
  return base32(
    new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(id + session))),
  );
}
