import { deepEqual, equal, throws } from "node:assert/strict";
import { fromBinary, fromJson, type JsonValue, toBinary, toJson } from "@bufbuild/protobuf";
import { file_wasimoff_v2_wasimoff as schema } from "../../../core/protocol/gen/wasimoff/v2/wasimoff_pb.ts";
import golden from "./golden/messages.json" with { type: "json" };

/** A message of the schema with every field set, and its bytes. A change here is a change of the wire. */
interface Row {
  readonly message: string;
  readonly json: JsonValue;
  readonly hex: string;
}

const rows = golden as unknown as readonly Row[];

function descOf(name: string) {
  const desc = schema.messages.find((message) => message.name === name);
  if (desc === undefined) throw new TypeError(`no message "${name}"`);
  return desc;
}

Deno.test("every message has the golden bytes, both ways", () => {
  for (const { message, json, hex } of rows) {
    const desc = descOf(message);
    equal(toBinary(desc, fromJson(desc, json)).toHex(), hex, message);
    deepEqual(toJson(desc, fromBinary(desc, Uint8Array.fromHex(hex))), json, message);
  }
});

Deno.test("the golden table has every message, and every field of each", () => {
  for (const desc of schema.messages) {
    const seen = new Set<string>();
    for (const { json } of rows.filter(({ message }) => message === desc.name)) {
      for (const field of Object.keys(json as Record<string, JsonValue>)) seen.add(field);
    }
    deepEqual([...seen].sort(), desc.fields.map(({ jsonName }) => jsonName).sort(), desc.name);
  }
  throws(() => descOf("Nothing"), TypeError);
});
