/** The mandate token, by which a tunnel client proves its key to a server (brickchain.md 3). */

import { WasimoffError } from "../../errors.ts";
import { joinChunks } from "../../join_chunks.ts";
import { type TunnelIdentity, tunnelKeyJwk, verifyTunnelSignature } from "../tunnel_key.ts";

export interface MandateChecks {
  /** Whether a URL is one under which clients reach this server; it gets scheme, host and port. */
  readonly isOurs: (origin: string) => boolean;
  /** Milliseconds since 1970. */
  readonly now: number;
}

export interface VerifiedMandate {
  /** Who signed it: an uncompressed point. */
  readonly publicKey: Uint8Array;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
  /** Another one in each token, whoever passes it on. */
  readonly nonce: string;
}

/** Longest lifetime that is accepted: a token can be replayed for so long. Existing clients say 60. */
export const MAX_TTL_S = 300;
/** What existing clients say. */
const TTL_S = 60;
/** How far a client's clock may be ahead of ours. */
export const CLOCK_SKEW_MS = 30_000;
/** A token has about 500. */
export const MAX_TOKEN_CHARACTERS = 8_192;

const PAYLOAD_TYPE = "https://schema.brickchain.com/v2/mandate-token.json";
const COORDINATE_BYTES = 32;
/**
 * Characters of a signature that lie within its `r`, which differs from text to text. Of its `s` there are two that are
 * as good, so the whole does not tell whether a token was seen before.
 */
const NONCE_CHARACTERS = 42;
/** Before the coordinates of an uncompressed point. */
const POINT_PREFIX = Uint8Array.of(4);
const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;
const BASE64URL = { alphabet: "base64url", omitPadding: true } as const;

/**
 * Rejects with `unauthenticated` and the first thing that is wrong. Extra
 * fields of header and payload are let through, as existing servers do; critical ones are not (RFC 7515 4.1.11).
 */
export async function verifyMandate(token: string, checks: MandateChecks): Promise<VerifiedMandate> {
  const parts = token.length <= MAX_TOKEN_CHARACTERS ? token.split(".") : [];
  if (parts.length !== 3) throw refused("is no compact JWS");
  const [head, body, signature] = parts as [string, string, string];
  const header = objectIn(head);
  const payload = objectIn(body);
  if (header === null || payload === null) throw refused("is no compact JWS");
  if (header.alg !== "ES256") throw refused("is not signed with ES256");
  if (header.crit !== undefined) throw refused("has critical fields that are not known here");
  const key = publicKey(header.jwk);
  if (!await isSigned(`${head}.${body}`, signature, key)) throw refused("has a wrong signature");
  const expiresAt = checkTime(payload, checks.now);
  if (payload["@type"] !== PAYLOAD_TYPE) throw refused("is no mandate token");
  if (!isAudience(payload.uri, checks.isOurs)) throw refused(`is for another server: ${quoted(payload.uri)}`);
  return { publicKey: key, expiresAt, nonce: signature.slice(0, NONCE_CHARACTERS) };
}

/** A token for the server whose endpoint is `uri`, as the stock client makes it. `now` is in milliseconds since 1970. */
export async function signMandate(uri: string, identity: TunnelIdentity, now: number): Promise<string> {
  const { kty, crv, x, y } = tunnelKeyJwk(identity.publicKey);
  const header = base64urlJson({ alg: "ES256", jwk: { kty, crv, x, y } });
  const timestamp = new Date(now).toISOString().replace("Z", `${nanoseconds()}Z`);
  const payload = base64urlJson({ "@type": PAYLOAD_TYPE, "@timestamp": timestamp, uri, ttl: TTL_S });
  const signed = `${header}.${payload}`;
  const signature = await identity.sign(new TextEncoder().encode(signed));
  return `${signed}.${signature.toBase64(BASE64URL)}`;
}

/** Six digits below the millisecond, which make tokens of the same moment differ: servers take each only once. */
function nanoseconds(): string {
  const [random] = crypto.getRandomValues(new Uint32Array(1));
  return String(random! % 1_000_000).padStart(6, "0");
}

function refused(what: string): WasimoffError {
  return new WasimoffError("unauthenticated", `mandate token ${what}`);
}

function publicKey(value: unknown): Uint8Array {
  const { kty, crv, x, y } = (value ?? {}) as Record<string, unknown>;
  const coordinates = [x, y].map(coordinate);
  if (kty !== "EC" || crv !== "P-256" || coordinates.includes(null)) {
    throw refused("has no P-256 key in its header");
  }
  return joinChunks([POINT_PREFIX, ...coordinates as Uint8Array[]]);
}

function coordinate(value: unknown): Uint8Array | null {
  const bytes = typeof value === "string" ? decoded(value) : null;
  return bytes?.length === COORDINATE_BYTES ? bytes : null;
}

async function isSigned(text: string, signature: string, key: Uint8Array): Promise<boolean> {
  const raw = decoded(signature);
  if (raw === null) return false;
  try {
    return await verifyTunnelSignature(key, raw, new TextEncoder().encode(text));
  } catch (error) {
    if (error instanceof WasimoffError) return false; // the point is not on the curve
    throw error;
  }
}

/** When it expires. */
function checkTime(payload: Record<string, unknown>, now: number): number {
  const { "@timestamp": timestamp, ttl } = payload;
  const from = typeof timestamp === "string" && RFC_3339.test(timestamp) ? Date.parse(timestamp) : NaN;
  if (Number.isNaN(from)) throw refused("has no proper @timestamp");
  if (typeof ttl !== "number" || !(ttl > 0 && ttl <= MAX_TTL_S)) {
    throw refused(`has a ttl that is not within 1 to ${MAX_TTL_S} seconds`);
  }
  if (from > now + CLOCK_SKEW_MS) throw refused("is from the future: check the clock");
  const expiresAt = from + ttl * 1_000;
  if (expiresAt < now) throw refused("has expired: check the clock");
  return expiresAt;
}

/** Clients drop the path of their endpoint, so it says nothing of whom they mean. */
function isAudience(uri: unknown, isOurs: MandateChecks["isOurs"]): boolean {
  const url = typeof uri === "string" ? URL.parse(uri) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== "" || url.password !== "") {
    return false;
  }
  return isOurs(url.origin);
}

function objectIn(part: string): Record<string, unknown> | null {
  const bytes = decoded(part);
  if (bytes === null) return null;
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    return typeof value === "object" && !Array.isArray(value)
      ? value as Record<string, unknown> | null
      : null;
  } catch {
    return null; // neither UTF-8 nor JSON
  }
}

/** base64url without padding and white space (RFC 7515 2); null for anything else. */
function decoded(text: string): Uint8Array<ArrayBuffer> | null {
  if (!/^[\w-]*$/.test(text) || text.length % 4 === 1) return null;
  return Uint8Array.fromBase64(text, { alphabet: "base64url" });
}

function base64urlJson(value: unknown): string {
  return new TextEncoder().encode(JSON.stringify(value)).toBase64(BASE64URL);
}

/** Text of others in a message, within bounds. */
function quoted(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value.slice(0, 200)) : "no uri";
}
