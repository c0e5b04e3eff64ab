/** Headers on their way through the Brickchain tunneling proxy, which has one value for each (brickchain.md 2, 7.2). */

import { isForwardingHeader } from "../../forwarding_headers.ts";
import type { HeaderMap } from "./brickchain_document.ts";
import { bodyToBytes, bytesToBody } from "./brickchain_message_body.ts";
import { endToEndHeaders, type RawHeaders } from "../end_to_end_headers.ts";

/** The part of a WebSocket handshake that each side makes for itself. */
const HANDSHAKE: ReadonlySet<string> = new Set([
  "sec-websocket-key",
  "sec-websocket-version",
  "sec-websocket-extensions",
  "sec-websocket-accept",
]);
/** What only has a meaning while a message is under way. */
const FRAMING: ReadonlySet<string> = new Set(["host", "expect", "trailer"]);
const NAME = /^[\w!#$%&'*+.^`|~-]+$/;
/** Bytes as node:http has them, a character for each: no control characters but the tab. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
const ASCII = /^[\x20-\x7e]*$/;

export interface ForwardedFrom {
  /** The headers of a handshake, whose key, version and extensions are left out. */
  readonly webSocket: boolean;
  /** The peer is a proxy that may say whom it forwards for; others are not believed. */
  readonly proxy: boolean;
}

/** What the tunnel client is given: the first value of each, under the name as Go spells it, without Host. */
export function requestHeaders(raw: RawHeaders, { webSocket, proxy }: ForwardedFrom): HeaderMap {
  const kept = endToEndHeaders(
    raw,
    (name) => FRAMING.has(name) || (webSocket && HANDSHAKE.has(name)) || (!proxy && isForwardingHeader(name)),
  );
  const headers = new Map<string, string>();
  for (let i = 0; i < kept.length; i += 2) {
    const name = canonicalName(kept[i]!);
    if (!headers.has(name)) headers.set(name, textOf(kept[i + 1]!));
  }
  return Object.fromEntries(headers);
}

/** Names and values in turn that may be sent on; null when one of them could not be part of a message. */
export function forwardableHeaders(headers: HeaderMap): string[] | null {
  const entries = Object.entries(headers).map(([name, text]) => [name, bytesOf(text)] as const);
  if (!entries.every(([name, value]) => NAME.test(name) && VALUE.test(value))) return null;
  return endToEndHeaders(entries.flat(), (name) => FRAMING.has(name) || HANDSHAKE.has(name));
}

/**
 * What the tunnel client tells of an answer: values of one header as one list (RFC 9110 5.3). Of several cookies, which
 * are no list, only the first can travel.
 */
export function responseHeaders(raw: RawHeaders): HeaderMap {
  const kept = endToEndHeaders(raw);
  const headers = new Map<string, string>();
  for (let i = 0; i < kept.length; i += 2) {
    const name = canonicalName(kept[i]!);
    const before = headers.get(name);
    const value = textOf(kept[i + 1]!);
    if (before === undefined) headers.set(name, value);
    else if (name !== "Set-Cookie") headers.set(name, `${before}, ${value}`);
  }
  return Object.fromEntries(headers);
}

/** A value as the documents have it: bytes that are UTF-8 are that text, as in Go. */
function textOf(value: string): string {
  return ASCII.test(value) ? value : bytesToBody(Uint8Array.from(value, (byte) => byte.charCodeAt(0)));
}

/** A value as node:http has it. */
function bytesOf(text: string): string {
  return ASCII.test(text)
    ? text
    : Array.from(bodyToBytes(text), (byte) => String.fromCharCode(byte)).join("");
}

/** `user-agent` as `User-Agent`. */
function canonicalName(name: string): string {
  return name.toLowerCase().replace(/(^|-)[a-z]/g, (start) => start.toUpperCase());
}
