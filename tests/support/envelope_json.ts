/** Envelopes of wasimoff_v1 as plain objects, made without our codec, so that a test sees what is on the wire. */

import { createRegistry, fromBinary, fromJson, type JsonObject, toBinary, toJson } from "@bufbuild/protobuf";
import {
  Envelope_MessageType,
  EnvelopeSchema,
  file_wasimoff_v1_messages,
} from "../../core/protocol/gen/wasimoff/v1/messages_pb.ts";

/** As the JSON of the protocol has it; `payload` carries `@type`. */
export interface EnvelopeJson {
  readonly sequence?: string;
  readonly type?: string;
  readonly error?: string;
  readonly payload?: JsonObject;
}

const REGISTRY = createRegistry(file_wasimoff_v1_messages);

export function toWire(encoding: "binary" | "json", envelope: EnvelopeJson): Uint8Array | string {
  if (encoding === "json") return JSON.stringify(envelope);
  const { payload, ...head } = envelope;
  const message = fromJson(EnvelopeSchema, { ...head });
  if (payload === undefined) return toBinary(EnvelopeSchema, message);
  const { "@type": typeUrl, ...fields } = payload;
  const desc = REGISTRY.getMessage(nameOf(payload));
  const value = desc === undefined ? new Uint8Array() : toBinary(desc, fromJson(desc, fields));
  return toBinary(EnvelopeSchema, {
    ...message,
    payload: { $typeName: "google.protobuf.Any", typeUrl: String(typeUrl), value },
  });
}

export function fromWire(data: Uint8Array | string): EnvelopeJson {
  if (typeof data === "string") return JSON.parse(data);
  const { sequence, type, error, payload } = fromBinary(EnvelopeSchema, data);
  const head = {
    ...(sequence !== undefined && { sequence: String(sequence) }),
    ...(type !== undefined && { type: Envelope_MessageType[type] }),
    ...(error !== undefined && { error }),
  };
  if (payload === undefined) return head;
  const desc = REGISTRY.getMessage(payload.typeUrl.slice(payload.typeUrl.lastIndexOf("/") + 1))!;
  const fields = toJson(desc, fromBinary(desc, payload.value)) as JsonObject;
  return { ...head, payload: { "@type": payload.typeUrl, ...fields } };
}

/** The name of a payload's message, without package and prefix. */
export function kindOf({ payload }: EnvelopeJson): string {
  return payload === undefined ? "" : nameOf(payload).slice("wasimoff.v1.".length);
}

function nameOf(payload: JsonObject): string {
  const typeUrl = String(payload["@type"] ?? "");
  return typeUrl.slice(typeUrl.lastIndexOf("/") + 1);
}
