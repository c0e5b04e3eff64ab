/** What asks for a session: an extended CONNECT (RFC 9220, draft-ietf-webtrans-http3 3.3). */

import { Http3Error } from "./http3_error.ts";
import { formatProtocols, parseProtocols } from "./protocol_header.ts";
import type { HeaderField } from "./qpack_static_table.ts";

export interface WebTransportRequest {
  /** Host and port, as the client knows them. */
  readonly authority: string;
  /** Begins with a slash; without query. */
  readonly path: string;
  /** Begins with a question mark, or empty. */
  readonly query: string;
  readonly headers: Headers;
  /** That of the page; null for programs. */
  readonly origin: string | null;
  /** Application protocols that the client offers, its favourite first. */
  readonly protocols: readonly string[];
}

/** Any request: `session` only when it asks for one. */
export interface AnyRequest {
  readonly method: string;
  readonly path: string;
  readonly session: WebTransportRequest | undefined;
}

const PROTOCOLS_OFFERED = "wt-available-protocols";
export const PROTOCOL_CHOSEN = "wt-protocol";
/** Browsers of today speak this draft and say so. */
const DRAFT_OF_REQUEST: HeaderField = ["sec-webtransport-http3-draft02", "1"];
export const DRAFT_OF_ANSWER: HeaderField = ["sec-webtransport-http3-draft", "draft02"];

/** Until draft-12, and since then; clients of ours say the first, which all servers of today take. */
const SESSION_PROTOCOL = "webtransport";
const SESSION_PROTOCOLS: readonly (string | undefined)[] = [SESSION_PROTOCOL, "webtransport-h3"];

const PSEUDO = new Set([":method", ":protocol", ":scheme", ":authority", ":path"]);
/** Belong to HTTP/1 (RFC 9114 4.2). */
const OF_HTTP1 = new Set(["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"]);

/** Checks the fields of a request. Throws an Http3Error, H3_MESSAGE_ERROR, for what is none. */
export function readRequest(fields: readonly HeaderField[]): AnyRequest {
  const pseudo = new Map<string, string>();
  const headers = new Headers();
  let count = 0;
  for (const [name, value] of fields) {
    if (!name.startsWith(":")) {
      if (OF_HTTP1.has(name) || (name === "te" && value !== "trailers")) {
        throw malformed(`"${name}" is a field of HTTP/1`);
      }
      headers.append(name, value);
      count++;
    } else if (count > 0 || pseudo.has(name) || !PSEUDO.has(name)) {
      throw malformed(`"${name}" may not come here`);
    } else pseudo.set(name, value);
  }
  const method = pseudo.get(":method");
  if (method === undefined) throw malformed(`":method" is missing`);
  checkTarget(pseudo, headers.get("host"));
  const target = pseudo.get(":path") ?? "";
  const [path] = target.split("?", 1) as [string];
  const isSession = method === "CONNECT" && SESSION_PROTOCOLS.includes(pseudo.get(":protocol"));
  return { method, path, session: isSession ? readSession(pseudo, headers, target) : undefined };
}

/** What a request is for (RFC 9114 4.3.1 and 4.4, RFC 9220 3). */
function checkTarget(pseudo: ReadonlyMap<string, string>, host: string | null): void {
  const isConnect = pseudo.get(":method") === "CONNECT";
  const isExtended = pseudo.has(":protocol");
  if (isExtended && !isConnect) throw malformed(`":protocol" is for CONNECT only`);
  const hasTarget = Boolean(pseudo.get(":path")) && pseudo.has(":scheme");
  const isPlain = !pseudo.has(":path") && !pseudo.has(":scheme") && Boolean(pseudo.get(":authority"));
  if (isConnect && !isExtended ? !isPlain : !hasTarget) {
    throw malformed("it has not the target of its method");
  }
  const authority = pseudo.get(":authority");
  if (host !== null && authority !== undefined && host !== authority) {
    throw malformed("it names two hosts");
  }
}

function readSession(
  pseudo: ReadonlyMap<string, string>,
  headers: Headers,
  target: string,
): WebTransportRequest {
  const authority = pseudo.get(":authority");
  if (!authority || !target.startsWith("/") || pseudo.get(":scheme") !== "https") {
    throw malformed("a session needs an authority, a path and the scheme https");
  }
  const [path] = target.split("?", 1) as [string];
  return {
    authority,
    path,
    query: target.slice(path.length),
    headers,
    origin: headers.get("origin"),
    protocols: parseProtocols(headers.get(PROTOCOLS_OFFERED) ?? ""),
  };
}

/** The fields with which a client asks for a session. */
export function requestFields(request: WebTransportRequest): HeaderField[] {
  const { authority, path, query, headers, protocols } = request;
  return [
    [":method", "CONNECT"],
    [":protocol", SESSION_PROTOCOL],
    [":scheme", "https"],
    [":authority", authority],
    [":path", path + query],
    DRAFT_OF_REQUEST,
    ...(protocols.length === 0 ? [] : [[PROTOCOLS_OFFERED, formatProtocols(protocols)] as const]),
    ...headers,
  ];
}

function malformed(detail: string): Http3Error {
  return new Http3Error("H3_MESSAGE_ERROR", `read request: ${detail}`);
}
