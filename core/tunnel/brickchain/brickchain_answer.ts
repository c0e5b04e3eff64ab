/** The answer of a Brickchain client as the public gets it. */

import { WasimoffError } from "../../errors.ts";
import { type HttpResponseDocument, MAX_BODY_BYTES } from "./brickchain_document.ts";
import { forwardableHeaders } from "./brickchain_headers.ts";

export interface PublicAnswer {
  readonly status: number;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly body: Uint8Array<ArrayBuffer>;
}

/**
 * Checks what the client says. Throws `data_loss` for what cannot be part of an answer to a request of this method, and
 * `out_of_range` for a body that is too large. `contentType` counts for nothing, as at existing servers.
 */
export function publicAnswer(document: HttpResponseDocument, method: string): PublicAnswer {
  const { status } = document;
  if (status < 200 || status > 599) throw unreadable(`status ${status}`);
  const headers = forwardableHeaders(document.headers);
  if (headers === null) throw unreadable("headers");
  const body = decodeBody(document.body);
  if (body === null) throw unreadable("base64");
  if (body.length > MAX_BODY_BYTES) {
    throw new WasimoffError(
      "out_of_range",
      `answer of the tunnel client has more than ${MAX_BODY_BYTES} bytes`,
    );
  }
  const bodiless = method === "HEAD" || status === 204 || status === 304;
  const framed = withLength(headers, bodiless ? null : body.length);
  return { status, headers: framed, body: bodiless ? new Uint8Array() : body };
}

/** Standard base64; null for anything else. */
export function decodeBody(base64: string): Uint8Array<ArrayBuffer> | null {
  try {
    return Uint8Array.fromBase64(base64);
  } catch {
    return null; // told by the caller, who knows whose body it is
  }
}

/** Null keeps the length that an answer without a body speaks of. */
function withLength(headers: readonly string[], length: number | null): string[] {
  const kept: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    const [name, value] = [headers[i]!, headers[i + 1]!];
    if (name.toLowerCase() !== "content-length") kept.push(name, value);
    else if (length === null && /^\d{1,15}$/.test(value)) kept.push(name, value);
  }
  return length === null ? kept : [...kept, "Content-Length", String(length)];
}

function unreadable(what: string): WasimoffError {
  return new WasimoffError("data_loss", `answer of the tunnel client cannot be read: wrong ${what}`);
}
