/** Reads documents of the Brickchain tunneling proxy, which come from anybody (brickchain.md 2). */

import {
  type BrickchainDocument,
  type DocumentKind,
  type HeaderMap,
  MAX_BODY_BYTES,
  TYPE_PREFIX,
} from "./brickchain_document.ts";
import { type JsonLimits, nestsWithin } from "./json_depth.ts";

/** A frame that is no document, or a known one whose fields are wrong. */
export interface InvalidDocument {
  readonly kind: "invalid";
  /** As far as it could be read, so that whoever waits for it can be told; else empty. */
  readonly id: string;
  readonly reason: string;
}

/** Both sides ignore types that they do not know. */
export interface UnknownDocument {
  readonly kind: "unknown";
}

/** Longest frame that is parsed: a whole body in base64, with as much for headers and path as HTTP servers take. */
export const MAX_DOCUMENT_CHARACTERS = Math.ceil(MAX_BODY_BYTES / 3) * 4 + 128 * 1024;
/** Documents have two levels, what is unknown in them may have some more; 16 KiB of headers have fewer names. */
const LIMITS: JsonLimits = { depth: 8, parts: 10_000 };
/** Part of a frame beyond the limit in which its id is looked for. */
const HEAD_CHARACTERS = 1_024;
/** Longest id that is taken: a UUID has 36. */
const MAX_ID_CHARACTERS = 128;

/** The value of a field, or undefined when it has the wrong type. What is absent or null is the empty one, as in Go. */
type Field = (value: unknown) => unknown;

const text: Field = (value) => typeof (value ?? "") === "string" ? value ?? "" : undefined;
const integer: Field = (value) => Number.isInteger(value ?? 0) ? value ?? 0 : undefined;
const flag: Field = (value) => typeof (value ?? false) === "boolean" ? value ?? false : undefined;
const headerMap: Field = (value): HeaderMap | undefined => {
  if (value === undefined || value === null) return {};
  if (typeof value !== "object" || Array.isArray(value)) return undefined;
  return Object.values(value).every((item) => typeof item === "string") ? value as HeaderMap : undefined;
};

const FIELDS: Readonly<Record<DocumentKind, Readonly<Record<string, Field>>>> = {
  "registration-request": { mandateToken: text, session: text },
  "registration-response": { keyID: text, hostname: text },
  "http-request": { url: text, query: text, headers: headerMap, method: text, body: text },
  "http-response": { headers: headerMap, contentType: text, status: integer, body: text },
  "ws-request": { url: text, query: text, headers: headerMap },
  "ws-response": { ok: flag, error: text },
  "ws-message": { messageType: integer, body: text },
  "ws-teardown": {},
  "ping": {},
  "disconnect": {},
};

/** Never throws. Frames beyond MAX_DOCUMENT_CHARACTERS are not parsed: `invalid`, with the id that they begin with. */
export function decodeDocument(frame: string): BrickchainDocument | InvalidDocument | UnknownDocument {
  if (frame.length > MAX_DOCUMENT_CHARACTERS) {
    const id = /"@id"\s*:\s*"([\w-]{1,128})"/.exec(frame.slice(0, HEAD_CHARACTERS))?.[1] ?? "";
    return invalid(id, `document has more than ${MAX_DOCUMENT_CHARACTERS} characters`);
  }
  const document = nestsWithin(frame, LIMITS) ? parse(frame) : undefined;
  if (typeof document !== "object" || document === null || Array.isArray(document)) {
    return invalid("", "frame is no JSON document");
  }
  const { "@type": type, "@id": id = "", ...fields } = document as Record<string, unknown>;
  if (typeof id !== "string" || id.length > MAX_ID_CHARACTERS) {
    return invalid("", "document has no proper @id");
  }
  const kind = kindOf(type);
  if (kind === null) return { kind: "unknown" };
  const own: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(FIELDS[kind])) {
    const value = field(fields[name]);
    if (value === undefined) return invalid(id, `field "${name}" of a ${kind} has the wrong type`);
    own[name] = value;
  }
  return (kind === "ping" ? { kind } : { kind, id, ...own }) as unknown as BrickchainDocument;
}

function parse(frame: string): unknown {
  try {
    return JSON.parse(frame);
  } catch {
    return undefined; // what is no JSON is no document
  }
}

function kindOf(type: unknown): DocumentKind | null {
  if (typeof type !== "string" || !type.startsWith(TYPE_PREFIX) || !type.endsWith(".json")) return null;
  const kind = type.slice(TYPE_PREFIX.length, -".json".length);
  return Object.hasOwn(FIELDS, kind) ? kind as DocumentKind : null;
}

function invalid(id: string, reason: string): InvalidDocument {
  return { kind: "invalid", id, reason };
}
