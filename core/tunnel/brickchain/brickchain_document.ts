/** The documents of the Brickchain tunneling proxy, and how they are written (brickchain.md 2). */

/** Values by name; one value for each header. */
export type HeaderMap = Readonly<Record<string, string>>;

export interface RegistrationRequest {
  readonly kind: "registration-request";
  readonly id: string;
  /** A compact JWS. */
  readonly mandateToken: string;
  /** Makes another client id of the same key. */
  readonly session: string;
}

export interface RegistrationResponse {
  readonly kind: "registration-response";
  readonly id: string;
  readonly keyID: string;
  /** Empty where the server has no domain. */
  readonly hostname: string;
}

export interface HttpRequestDocument {
  readonly kind: "http-request";
  readonly id: string;
  /** The decoded path. */
  readonly url: string;
  /** As the client wrote it, without the `?`. */
  readonly query: string;
  readonly headers: HeaderMap;
  readonly method: string;
  /** Standard base64. */
  readonly body: string;
}

export interface HttpResponseDocument {
  readonly kind: "http-response";
  readonly id: string;
  readonly headers: HeaderMap;
  readonly contentType: string;
  readonly status: number;
  /** Standard base64. */
  readonly body: string;
}

export interface WsRequest {
  readonly kind: "ws-request";
  /** Becomes the id of the connection. */
  readonly id: string;
  readonly url: string;
  readonly query: string;
  readonly headers: HeaderMap;
}

export interface WsResponse {
  readonly kind: "ws-response";
  readonly id: string;
  readonly ok: boolean;
  readonly error: string;
}

export interface WsMessage {
  readonly kind: "ws-message";
  readonly id: string;
  /** 1 is text, 2 binary. */
  readonly messageType: number;
  readonly body: string;
}

export interface WsTeardown {
  readonly kind: "ws-teardown";
  readonly id: string;
}

export interface PingDocument {
  readonly kind: "ping";
}

export interface DisconnectDocument {
  readonly kind: "disconnect";
  readonly id: string;
}

export type BrickchainDocument =
  | RegistrationRequest
  | RegistrationResponse
  | HttpRequestDocument
  | HttpResponseDocument
  | WsRequest
  | WsResponse
  | WsMessage
  | WsTeardown
  | PingDocument
  | DisconnectDocument;

export type DocumentKind = BrickchainDocument["kind"];

/** `@type` is this, the kind, and `.json`. */
export const TYPE_PREFIX = "https://proxy.brickchain.com/v1/";
/** Body of a request, and what a whole frame of a response may have at an existing server. */
export const MAX_BODY_BYTES = 512_000;
/**
 * Largest frame that is read. It is above what is passed on, so that an answer which is too large becomes a 502 for its
 * visitor; only one beyond this ends the connection, and with it all that the client has open.
 */
export const MAX_FRAME_BYTES = 8 * 1024 * 1024;

/** Fields that existing programs leave out when they are empty. */
const OMITTED_WHEN_EMPTY: ReadonlySet<string> = new Set(["session", "hostname", "query", "error"]);

/** The server's ping as it was recorded: nothing but its type, and the end of the line. */
const PING = `{"@type":"${TYPE_PREFIX}ping.json"}\n`;

/** One frame; fields stand in the order of the object. `now` is in milliseconds since 1970. */
export function encodeDocument(document: BrickchainDocument, now: number): string {
  if (document.kind === "ping") return PING;
  const { kind, id, ...fields } = document;
  const own = Object.entries(fields).filter(([name, value]) => value !== "" || !OMITTED_WHEN_EMPTY.has(name));
  return JSON.stringify({
    "@type": `${TYPE_PREFIX}${kind}.json`,
    "@timestamp": new Date(now).toISOString(),
    ...(id === "" ? {} : { "@id": id }),
    ...Object.fromEntries(own),
  });
}
