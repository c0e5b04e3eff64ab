/** Mandate tokens of the Brickchain tunneling proxy with whatever a test wants in them (brickchain.md 3.2). */

const BASE64URL = { alphabet: "base64url", omitPadding: true } as const;

export interface TokenParts {
  readonly payload: Readonly<Record<string, unknown>>;
  /** Fields beside, or instead of, `alg` and `jwk`. */
  readonly header?: Readonly<Record<string, unknown>>;
}

/** Signed by the key, whatever it says. */
export async function signedToken(key: CryptoKeyPair, { payload, header }: TokenParts): Promise<string> {
  const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", key.publicKey);
  const encode = (value: unknown) => new TextEncoder().encode(JSON.stringify(value)).toBase64(BASE64URL);
  const signed = `${encode({ alg: "ES256", jwk: { kty, crv, x, y }, ...header })}.${encode(payload)}`;
  const algorithm = { name: "ECDSA", hash: "SHA-256" };
  const signature = await crypto.subtle.sign(algorithm, key.privateKey, new TextEncoder().encode(signed));
  return `${signed}.${new Uint8Array(signature).toBase64(BASE64URL)}`;
}
