/** The envelope of the existing programs (wasimoff-v1 2), in both encodings: binary and JSON. */

import {
  create,
  createRegistry,
  type DescMessage,
  fromBinary,
  fromJson,
  type JsonObject,
  type JsonValue,
  type Message,
  toBinary,
  toJson,
} from "@bufbuild/protobuf";
import { WasimoffError } from "../errors.ts";
import { checkBinary, checkIntegers, checkText, UNCHECKED_BYTES } from "./envelope_bounds_v1.ts";
import {
  Envelope_MessageType as Type,
  EnvelopeSchema,
  file_wasimoff_v1_messages,
} from "./gen/wasimoff/v1/messages_pb.ts";

/** The subprotocols of a WebSocket; in spite of their names both endpoints speak them (wasimoff-v1 3.2). */
export const SUBPROTOCOL_V1_BINARY = "wasimoff_provider_v1_protobuf";
export const SUBPROTOCOL_V1_JSON = "wasimoff_provider_v1_json";

export type EncodingV1 = "binary" | "json";

/** What a request, response or event carries. */
export type PayloadV1 = Message;

export interface EnvelopeV1 {
  readonly type: "request" | "response" | "event";
  /** Counted by the sender, opaque to the receiver; null when it is missing. */
  readonly sequence: bigint | null;
  /** Set, even to the empty text: the request could not be carried out. */
  readonly error: string | null;
  /** Null when there is none, or one of a type that nobody knows. */
  readonly payload: PayloadV1 | null;
  /** What was written where a payload was not understood; null when it was. */
  readonly unknownPayload: string | null;
}

const REGISTRY = createRegistry(file_wasimoff_v1_messages);
/** Fields of newer peers are of no use here, and each would take memory. */
const KNOWN_FIELDS = { readUnknownFields: false } as const;
const TYPE_URL_PREFIX = "wasimoff/";
const TYPES = { request: Type.Request, response: Type.Response, event: Type.Event } as const;
const NAMES = { [Type.Request]: "request", [Type.Response]: "response", [Type.Event]: "event" } as const;

/** What `encodeEnvelope` writes; sequence and type always, an error only when it is one. */
export type EnvelopeInit =
  & Pick<EnvelopeV1, "type">
  & { readonly sequence: bigint }
  & ({ readonly payload: PayloadV1 } | { readonly error: string });

/** One message of a WebSocket: bytes in binary, text in JSON. */
export function encodeEnvelope(encoding: EncodingV1, envelope: EnvelopeInit): Uint8Array | string {
  const head = { sequence: envelope.sequence, type: TYPES[envelope.type] };
  if ("error" in envelope) {
    return serialize(encoding, create(EnvelopeSchema, { ...head, error: envelope.error }));
  }
  const { payload } = envelope;
  const desc = describe(payload.$typeName);
  if (desc === undefined) throw new TypeError(`cannot send a ${payload.$typeName}: it is no message of v1`);
  const typeUrl = TYPE_URL_PREFIX + payload.$typeName;
  if (encoding === "binary") {
    const value = toBinary(desc, payload);
    return toBinary(EnvelopeSchema, create(EnvelopeSchema, { ...head, payload: { typeUrl, value } }));
  }
  const json = toJson(EnvelopeSchema, create(EnvelopeSchema, head)) as JsonObject;
  return JSON.stringify({ ...json, payload: { "@type": typeUrl, ...toJson(desc, payload) as JsonObject } });
}

/**
 * Reads one message. Unknown fields are ignored in both encodings, a payload that is not understood is told by
 * `unknownPayload`. Throws `invalid_argument` for what is no envelope, or one without a known type.
 */
export function decodeEnvelope(encoding: EncodingV1, data: Uint8Array | string): EnvelopeV1 {
  if ((typeof data === "string") !== (encoding === "json")) {
    throw invalid(`sent ${typeof data === "string" ? "text" : "binary"} to a ${encoding} transport`);
  }
  try {
    return typeof data === "string" ? decodeJson(data) : decodeBinary(data);
  } catch (error) {
    if (error instanceof WasimoffError) throw error;
    throw invalid("cannot decode an envelope", error);
  }
}

function decodeBinary(data: Uint8Array): EnvelopeV1 {
  checkBinary(EnvelopeSchema, data);
  const { type, sequence, error, payload } = fromBinary(EnvelopeSchema, data, KNOWN_FIELDS);
  const read = payload === undefined ? null : readPayload(payload.typeUrl, (desc) => {
    checkBinary(desc, payload.value);
    return fromBinary(desc, payload.value, KNOWN_FIELDS);
  });
  return assemble({ type, sequence, error }, read);
}

function decodeJson(text: string): EnvelopeV1 {
  checkText(text);
  const whole = object(JSON.parse(text));
  if (text.length > UNCHECKED_BYTES) checkIntegers(whole);
  const { payload, ...head } = whole;
  const { type, sequence, error } = fromJson(EnvelopeSchema, head, { ignoreUnknownFields: true });
  if (payload === undefined || payload === null) return assemble({ type, sequence, error }, null);
  const { "@type": typeUrl, ...fields } = object(payload);
  const read = readPayload(
    String(typeUrl ?? ""),
    (desc) => fromJson(desc, fields, { ignoreUnknownFields: true, registry: REGISTRY }),
  );
  return assemble({ type, sequence, error }, read);
}

interface ReadPayload {
  readonly payload: PayloadV1 | null;
  readonly unknownPayload: string | null;
}

/** Whatever stands before the last slash of the type is accepted, and nothing too (wasimoff-v1 2.2). */
function readPayload(typeUrl: string, read: (desc: DescMessage) => PayloadV1): ReadPayload {
  const desc = describe(typeUrl.slice(typeUrl.lastIndexOf("/") + 1));
  if (desc === undefined) return { payload: null, unknownPayload: typeUrl };
  try {
    return { payload: read(desc), unknownPayload: null };
  } catch {
    // Only this one is lost: its envelope is whole, so that its sender can be told.
    return { payload: null, unknownPayload: typeUrl };
  }
}

interface Head {
  readonly type: Type | undefined;
  readonly sequence: bigint | undefined;
  readonly error: string | undefined;
}

function assemble({ type, sequence, error }: Head, read: ReadPayload | null): EnvelopeV1 {
  const name = NAMES[type as keyof typeof NAMES];
  if (name === undefined) throw invalid(`envelope has the unknown type ${type ?? 0}`);
  return {
    type: name,
    sequence: sequence ?? null,
    error: error ?? null,
    payload: read?.payload ?? null,
    unknownPayload: read?.unknownPayload ?? null,
  };
}

function serialize(encoding: EncodingV1, envelope: Message): Uint8Array | string {
  return encoding === "binary"
    ? toBinary(EnvelopeSchema, envelope as never)
    : JSON.stringify(toJson(EnvelopeSchema, envelope as never));
}

function describe(typeName: string): DescMessage | undefined {
  return REGISTRY.getMessage(typeName);
}

function object(value: JsonValue): JsonObject {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw invalid("envelope is no JSON object");
}

function invalid(message: string, cause?: unknown): WasimoffError {
  return new WasimoffError("invalid_argument", message, { cause });
}
