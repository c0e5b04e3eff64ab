import { deepEqual, equal, throws } from "node:assert/strict";
import * as fc from "fast-check";
import { encodeTlv, TlvReader, type Treatment } from "../../../core/webtransport/tlv_reader.ts";
import { encodeVarints } from "../../../core/webtransport/varint.ts";

const TREATMENTS: readonly Treatment[] = ["keep", "stream", "skip"];
/** Type 0 is kept, 1 is streamed, all others are skipped. */
const treat = (type: bigint): Treatment => TREATMENTS[Number(type)] ?? "skip";

function readAll(reader: TlvReader, ...chunks: readonly Uint8Array[]): [bigint, string][] {
  return chunks.flatMap((chunk) =>
    [...reader.push(chunk)].map(({ type, payload }) => [type, payload.toHex()])
  )
    .map(([type, hex]) => [type as bigint, hex as string]);
}

Deno.test("TlvReader hands on whole payloads, or pieces, or nothing", () => {
  const reader = new TlvReader(treat);
  const chunks = ["00", "02aa", "bb0104c1c2", "c3", "c4", "0203ffff", "ff0000"].map((hex) =>
    Uint8Array.fromHex(hex)
  );
  deepEqual(readAll(reader, ...chunks), [[0n, "aabb"], [1n, "c1c2"], [1n, "c3"], [1n, "c4"], [0n, ""]]);
  equal(reader.inside, false);
});

Deno.test("TlvReader knows that it is inside of an item", () => {
  for (const hex of ["40", "00", "0001", "0201"]) {
    const reader = new TlvReader(treat);
    readAll(reader, Uint8Array.fromHex(hex));
    equal(reader.inside, true, hex);
  }
});

Deno.test("TlvReader hands on what is complete before it throws what `treat` throws", () => {
  const reader = new TlvReader((type) => {
    if (type === 9n) throw new RangeError("nine");
    return "keep";
  });
  const seen: bigint[] = [];
  throws(() => {
    for (const { type } of reader.push(Uint8Array.fromHex("000101" + "0900"))) seen.push(type);
  }, RangeError);
  deepEqual(seen, [0n]);
});

Deno.test("TlvReader keeps memory for what arrives, not for what is announced", () => {
  const reader = new TlvReader(() => "keep");
  const before = Deno.memoryUsage().external;
  readAll(reader, encodeVarints(0, 2 ** 30), new Uint8Array(10));
  equal(Deno.memoryUsage().external - before < 2 ** 20, true);
});

Deno.test("TlvReader skips payloads of any announced length", () => {
  const reader = new TlvReader(treat);
  deepEqual(readAll(reader, encodeVarints(7, (1n << 62n) - 1n), new Uint8Array(100_000)), []);
  equal(reader.inside, true);
});

Deno.test("TlvReader does not depend on where chunks end", () => {
  const item = fc.tuple(fc.integer({ min: 0, max: 3 }), fc.uint8Array({ maxLength: 600 }));
  const sizes = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1 });
  fc.assert(fc.property(fc.array(item, { maxLength: 8 }), sizes, (items, sizes) => {
    const bytes = Uint8Array.from(items.flatMap(([type, payload]) => [...encodeTlv(BigInt(type), payload)]));
    const reader = new TlvReader(treat);
    const seen = { whole: [] as string[], streamed: "" };
    for (let at = 0, turn = 0; at < bytes.length; turn++) {
      const size = sizes[turn % sizes.length] as number;
      for (const { type, payload } of reader.push(bytes.subarray(at, at + size))) {
        if (type === 0n) seen.whole.push(payload.toHex());
        else seen.streamed += payload.toHex();
      }
      at += size;
    }
    const of = (wanted: number) =>
      items.filter(([type]) => type === wanted).map(([, payload]) => payload.toHex());
    deepEqual(seen, { whole: of(0), streamed: of(1).join("") });
    equal(reader.inside, false);
  }));
});
