/** The envelope of the existing programs: golden frames of every message in every direction, and frames made to harm. */

import assert from "node:assert/strict";
import { create, createRegistry, fromJson, type JsonObject, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { decodeEnvelope, encodeEnvelope, type EncodingV1 } from "../../../core/protocol/envelope_v1.ts";
import { MAX_FIELDS_V1 } from "../../../core/protocol/envelope_bounds_v1.ts";
import {
  Envelope_MessageType,
  EnvelopeSchema,
  Event_FileSystemUpdateSchema,
  file_wasimoff_v1_messages,
  PingSchema,
} from "../../../core/protocol/gen/wasimoff/v1/messages_pb.ts";
import golden from "./golden/envelopes_v1.json" with { type: "json" };

/** One frame: its bytes were made by protoc, its text by hand after the specification. */
interface Row {
  readonly direction: string;
  readonly type: string;
  readonly sequence: string;
  readonly payload?: string;
  readonly error?: string;
  readonly hex: string;
  readonly json: string;
}

const rows = golden as readonly Row[];
const registry = createRegistry(file_wasimoff_v1_messages);

function payloadOf({ json, payload }: Row) {
  const { "@type": _type, ...fields } = JSON.parse(json).payload as JsonObject;
  return fromJson(registry.getMessage(`wasimoff.v1.${payload}`)!, fields);
}

for (const [index, row] of rows.entries()) {
  const { direction, type, sequence, payload, error, hex, json } = row;
  Deno.test(`golden frame ${index + 1}, ${direction}: ${type} ${payload ?? "with an error"}`, () => {
    const kind = type.toLowerCase() as "request" | "response" | "event";
    const head = { type: kind, sequence: BigInt(sequence) };
    const init = error === undefined ? { ...head, payload: payloadOf(row) } : { ...head, error };
    assert.equal((encodeEnvelope("binary", init) as Uint8Array).toHex(), hex);
    assert.equal(encodeEnvelope("json", init), json);
    const expected = {
      ...head,
      error: error ?? null,
      payload: error === undefined ? payloadOf(row) : null,
      unknownPayload: null,
    };
    assert.deepEqual(decodeEnvelope("binary", Uint8Array.fromHex(hex)), expected);
    assert.deepEqual(decodeEnvelope("json", json), expected);
  });
}

Deno.test("the golden frames have every message of the schema that has fields or a use", () => {
  const seen = new Set(rows.map(({ payload }) => payload));
  const messages: string[] = [];
  for (const type of registry) {
    if (type.kind === "message") messages.push(type.typeName.slice("wasimoff.v1.".length));
  }
  const parts =
    /^(Envelope|File|Task|Filesystem|Event|Filesystem\.\w+|Task\.(Wasip1|Pyodide|Metadata|QoS|Trace\w*)|.*\.(Params|Output))$/;
  assert.deepEqual(messages.filter((name) => !parts.test(name) && !seen.has(name)), []);
});

Deno.test("any prefix of a type is accepted, and none; sequence and error count when they are present", () => {
  for (const prefix of ["wasimoff/", "type.googleapis.com/", "a/b/c/", "", "/"]) {
    const typeUrl = `${prefix}wasimoff.v1.Ping`;
    const text = JSON.stringify({ type: "Request", payload: { "@type": typeUrl } });
    const envelope = decodeEnvelope("json", text);
    assert.deepEqual([envelope.payload, envelope.sequence, envelope.error], [create(PingSchema), null, null]);
    const bytes = toBinary(
      EnvelopeSchema,
      create(EnvelopeSchema, {
        type: Envelope_MessageType.Request,
        sequence: 0n,
        error: "",
        payload: { typeUrl },
      }),
    );
    const read = decodeEnvelope("binary", bytes);
    assert.deepEqual([read.payload, read.sequence, read.error], [create(PingSchema), 0n, ""]);
  }
});

const BROKEN: readonly [what: string, encoding: EncodingV1, data: string | Uint8Array][] = [
  ["nothing", "binary", new Uint8Array()],
  ["an empty text", "json", ""],
  ["no object", "json", "[]"],
  ["null", "json", "null"],
  ["no type", "json", '{"sequence":"1"}'],
  ["the type 0", "json", '{"type":"UNKNOWN"}'],
  ["a type that nobody knows", "binary", Uint8Array.of(0x10, 0x63)],
  ["a sequence that is no number", "json", '{"type":"Event","sequence":"x"}'],
  ["a negative sequence", "json", '{"type":"Event","sequence":"-1"}'],
  ["a payload that is no object", "json", '{"type":"Event","payload":[]}'],
  ["a cut field", "binary", Uint8Array.of(0x10, 0x01, 0x1a, 0x05, 0x61)],
  ["invalid UTF-8", "binary", Uint8Array.of(0x10, 0x01, 0x1a, 0x01, 0xff)],
  ["text where bytes belong", "binary", "{}"],
  ["bytes where text belongs", "json", Uint8Array.of(0x10, 0x01)],
  ["nesting of 100,000 arrays", "json", "[".repeat(100_000) + "]".repeat(100_000)],
  ["a deep unknown field", "json", `{"type":"Event","new":${"[".repeat(99_000)}${"]".repeat(99_000)}}`],
  ["nesting of 100,000 groups", "binary", new Uint8Array(100_000).fill(0x7b)],
];
for (const [what, encoding, data] of BROKEN) {
  Deno.test(`a frame with ${what} is refused (${encoding})`, () => {
    assert.throws(() => decodeEnvelope(encoding, data), { name: "WasimoffError" });
  });
}

const ODD: readonly [what: string, text: string, understood: boolean][] = [
  [
    "an unknown field",
    '{"type":"Event","new":{"a":[1]},"payload":{"@type":"wasimoff.v1.Ping","newer":1}}',
    true,
  ],
  ["an unknown type", '{"type":"Event","payload":{"@type":"wasimoff/wasimoff.v9.New"}}', false],
  ["no type of its payload", '{"type":"Event","payload":{}}', false],
  ["a type that is none", '{"type":"Event","payload":{"@type":{"a":1}}}', false],
  [
    "a field of the wrong kind",
    '{"type":"Event","payload":{"@type":"wasimoff.v1.Task.Cancel","id":7}}',
    false,
  ],
];
for (const [what, text, understood] of ODD) {
  Deno.test(`an envelope with ${what} is whole`, () => {
    const { type, payload, unknownPayload } = decodeEnvelope("json", text);
    assert.deepEqual([type, payload !== null, unknownPayload === null], ["event", understood, understood]);
  });
}

Deno.test("a frame may not have so many fields that they fill the memory", () => {
  const flood = new Uint8Array(2 * 1024 * 1024).fill(0x0a);
  for (let i = 1; i < flood.length; i += 2) flood[i] = 0;
  const typeUrl = `wasimoff/${Event_FileSystemUpdateSchema.typeName}`;
  const frame = create(EnvelopeSchema, {
    type: Envelope_MessageType.Event,
    payload: { typeUrl, value: flood },
  });
  assert.equal(decodeEnvelope("binary", toBinary(EnvelopeSchema, frame)).unknownPayload, typeUrl);
  const unknown = new Uint8Array(2 * (MAX_FIELDS_V1 + 1)).fill(0x78);
  assert.throws(() => decodeEnvelope("binary", unknown), { code: "out_of_range" });
  const many = `{"type":"Event","new":[${"{},".repeat(MAX_FIELDS_V1)}{}]}`;
  assert.throws(() => decodeEnvelope("json", many), { code: "out_of_range" });
  const digits = `{"type":"Event","sequence":"${"9".repeat(1_000_000)}"}`;
  assert.throws(() => decodeEnvelope("json", digits), { code: "out_of_range" });
});

Deno.test("large contents with quotes, commas and backslashes are no reason to refuse a frame", () => {
  const word = '{[,"\\",]}'.repeat(50_000) + "\\";
  const text = JSON.stringify({
    type: "Request",
    payload: { "@type": "wasimoff.v1.Task.Pyodide.Request", params: { script: word, envs: [word, "a"] } },
  });
  const { payload } = decodeEnvelope("json", text);
  const { params } = payload as unknown as { params: { run: { value: string }; envs: string[] } };
  assert.deepEqual([params.run.value, params.envs], [word, [word, "a"]]);
});

Deno.test("random bytes and texts are refused or read, and nothing else happens", () => {
  const frame = Uint8Array.fromHex(rows[2]!.hex);
  const changed = fc.array(fc.tuple(fc.nat(frame.length - 1), fc.nat(255)), { maxLength: 8 }).map(
    (changes) => {
      const copy = frame.slice();
      for (const [at, value] of changes) copy[at] = value;
      return copy;
    },
  );
  const read = (encoding: EncodingV1, data: Uint8Array | string) => {
    try {
      decodeEnvelope(encoding, data);
    } catch (error) {
      assert.equal((error as Error).name, "WasimoffError");
    }
  };
  fc.assert(fc.property(fc.oneof(fc.uint8Array(), changed), (bytes) => read("binary", bytes)));
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => read("json", text)));
  fc.assert(fc.property(fc.json(), (json) => read("json", `{"type":"Event","payload":${json}}`)));
});
