/** What is checked of a visitor's request before a tunnel's service hears of it. */

import type { IncomingMessage } from "node:http";
import { equalInConstantTime } from "../constant_time.ts";
import { valuesOf } from "../tunnel/end_to_end_headers.ts";
import type { TunnelFailure } from "../tunnel/error_page.ts";
import { startHash } from "./hash.ts";

/** Longer user names and passwords are not hashed. */
const MAX_CREDENTIAL_CHARS = 1_024;

/** The authority of a request target in absolute form, lower case; null for the other forms. */
export function targetAuthority(target: string): string | null {
  return /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(target)?.[1]?.toLowerCase() ?? null;
}

/** A request target as services expect it: without scheme and authority, otherwise byte for byte. */
export function originForm(target: string, method: string): string {
  const path = target.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, "");
  if (path === "") return method === "OPTIONS" ? "*" : "/";
  return path.startsWith("?") ? `/${path}` : path;
}

/** Names and values of as many headers as node's parser tells of; it leaves out the rest without a word. */
export const MAX_HEADER_ITEMS = 2_000;

const malformed = (detail: string): TunnelFailure => ({ status: 400, title: "Bad request", detail });

/** What is wrong with a request for everybody: what others could read in another way; null for nothing. */
export function requestFailure(incoming: IncomingMessage): TunnelFailure | null {
  const { rawHeaders, httpVersion, url = "", method = "" } = incoming;
  if (httpVersion !== "1.1" && httpVersion !== "1.0") {
    return malformed("This version of HTTP is not spoken here.");
  }
  if (rawHeaders.length >= MAX_HEADER_ITEMS) {
    return {
      status: 431,
      title: "Too many headers",
      detail: "This request has more headers than anybody needs.",
    };
  }
  const hosts = valuesOf(rawHeaders, "host");
  if (hosts.length !== 1) return malformed("A request must have exactly one Host header.");
  const authority = targetAuthority(url);
  if (authority !== null && authority !== hosts[0]!.toLowerCase()) {
    return malformed("The request target and the Host header name different hosts.");
  }
  if (url.includes("#") || !/^[/*]/.test(originForm(url, method))) {
    return malformed("The request target is no path.");
  }
  const encodings = valuesOf(rawHeaders, "transfer-encoding");
  if (encodings.length === 0) return null;
  if (httpVersion === "1.0" || encodings.join().toLowerCase() !== "chunked") {
    return malformed("The only transfer encoding is chunked, since HTTP/1.1.");
  }
  return valuesOf(rawHeaders, "content-length").length > 0
    ? malformed("A request must not have both a length and a transfer encoding.")
    : null;
}

/** Whether a request has the user name and password that a tunnel asks for: hex SHA-256 of "user:password". */
export function isAuthorized(incoming: IncomingMessage, digests: ReadonlySet<string>): boolean {
  const values = valuesOf(incoming.rawHeaders, "authorization");
  const credentials = /^Basic +([A-Za-z0-9+/=]+) *$/i.exec(values[0] ?? "")?.[1];
  if (values.length !== 1 || credentials === undefined || credentials.length > MAX_CREDENTIAL_CHARS) {
    return false;
  }
  const hash = startHash();
  hash.update(decodeBase64(credentials));
  const digest = Uint8Array.fromHex(hash.digest());
  let known = false;
  // All are compared, so that the time tells nothing about which one matched.
  for (const hex of digests) known = equalInConstantTime(digest, Uint8Array.fromHex(hex)) || known;
  return known;
}

/** Empty for what is no base64: nobody's password. */
function decodeBase64(text: string): Uint8Array {
  try {
    return Uint8Array.fromBase64(text);
  } catch {
    return new Uint8Array();
  }
}
