/** Keys of certificates that we make: all are ECDSA P-256, the one kind that browsers take by hash. */

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256" } as const;
/** How these keys sign. */
export const SIGNING = { ...ALGORITHM, hash: "SHA-256" } as const;

/** Characters in a line of PEM (RFC 7468). */
const LINE_CHARS = 64;

export async function createKeys(): Promise<CryptoKeyPair> {
  return await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]) as CryptoKeyPair;
}

/** The private key in PEM (PKCS #8). */
export async function keyPem({ privateKey }: CryptoKeyPair): Promise<string> {
  const base64 = new Uint8Array(await crypto.subtle.exportKey("pkcs8", privateKey)).toBase64();
  const lines = base64.match(new RegExp(`.{1,${LINE_CHARS}}`, "g"))!;
  return `-----BEGIN PRIVATE KEY-----\n${lines.join("\n")}\n-----END PRIVATE KEY-----\n`;
}

/** Reads what `keyPem` wrote, to sign with. */
export async function signingKey(pem: string): Promise<CryptoKey> {
  const der = Uint8Array.fromBase64(pem.replace(/-----[^-]+-----/g, "").replace(/\s/g, ""));
  return await crypto.subtle.importKey("pkcs8", der, ALGORITHM, false, ["sign"]);
}

/** 16 random bytes as hex; the first bit is 0 and the next 1, so that the number is positive and never short. */
export function serialNumber(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[0] = bytes[0]! & 0x3f | 0x40;
  return bytes.toHex();
}
