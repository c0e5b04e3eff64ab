/** The key of a tunnel client in a PEM file, made on first use. */

import { createPrivateKey, type KeyObject } from "node:crypto";
import { dirname } from "node:path";
import { WasimoffError } from "../errors.ts";
import { generateTunnelKey, type TunnelIdentity, tunnelIdentity } from "../tunnel/tunnel_key.ts";

/** Larger files are no keys. */
const MAX_KEY_BYTES = 64 * 1024;
const PEM_LINE = 64;

/**
 * The identity in a file: PKCS#8 or SEC1 (which Brickchain writes), P-256. A missing file is made, with its directory,
 * readable by its owner only; one that is there is never changed. Rejects with `failed_precondition` for any other content.
 */
export async function openTunnelIdentity(path: string): Promise<TunnelIdentity> {
  try {
    return await read(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw unusable(path, error);
  }
  try {
    await make(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw unusable(path, error);
    return await read(path).catch((error) => { // another process was faster
      throw unusable(path, error);
    });
  }
  return await read(path);
}

async function read(path: string): Promise<TunnelIdentity> {
  const { size } = await Deno.stat(path);
  if (size > MAX_KEY_BYTES) throw new TypeError("it is too large for a key");
  const jwk = parsePem(await Deno.readTextFile(path)).export({ format: "jwk" });
  if (jwk.kty !== "EC" || jwk.crv !== "P-256") throw new TypeError("it is no key of P-256");
  const { kty, crv, x, y, d } = jwk;
  const P256 = { name: "ECDSA", namedCurve: "P-256" };
  const load = (key: JsonWebKey, use: KeyUsage) => crypto.subtle.importKey("jwk", key, P256, true, [use]);
  return await tunnelIdentity({
    privateKey: await load({ kty, crv, x: x!, y: y!, d: d! }, "sign"),
    publicKey: await load({ kty, crv, x: x!, y: y! }, "verify"),
  });
}

function parsePem(text: string): KeyObject {
  try {
    return createPrivateKey(text);
  } catch (cause) {
    throw new TypeError("it is no private key", { cause });
  }
}

/** Writes a new key under a name of its own first: nobody sees half a key. */
async function make(path: string): Promise<void> {
  const { privateKey } = await generateTunnelKey();
  const der = new Uint8Array(await crypto.subtle.exportKey("pkcs8", privateKey));
  const lines = der.toBase64().match(new RegExp(`.{1,${PEM_LINE}}`, "g"))!;
  const pem = `-----BEGIN PRIVATE KEY-----\n${lines.join("\n")}\n-----END PRIVATE KEY-----\n`;
  await Deno.mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${crypto.randomUUID()}`;
  await Deno.writeTextFile(temporary, pem, { mode: 0o600, createNew: true });
  try {
    await Deno.link(temporary, path); // unlike a rename it never replaces
  } finally {
    await Deno.remove(temporary);
  }
}

function unusable(path: string, cause: unknown): WasimoffError {
  const reason = WasimoffError.from(cause).message;
  const message = `key "${path}" cannot be used: ${reason}; give another --identity, a PEM file of P-256`;
  return new WasimoffError("failed_precondition", message, { cause });
}
