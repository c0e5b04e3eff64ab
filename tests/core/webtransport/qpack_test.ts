import { deepEqual, equal, throws } from "node:assert/strict";
import * as fc from "fast-check";
import { decodeFieldSection, encodeFieldSection } from "../../../core/webtransport/qpack.ts";
import { type HeaderField, STATIC_TABLE } from "../../../core/webtransport/qpack_static_table.ts";
import { http3Failure } from "../../support/http3_failure.ts";

const FAILED = ["QPACK_DECOMPRESSION_FAILED", "connection"];
const MALFORMED = ["H3_MESSAGE_ERROR", "stream"];
const EXCESSIVE = ["H3_EXCESSIVE_LOAD", "stream"];

const decode = (hex: string) => decodeFieldSection(Uint8Array.fromHex(hex));

const TABLE: readonly [string, readonly HeaderField[]][] = [
  ["0000", []],
  ["0000d9", [[":status", "200"]]],
  ["0000ff08", [[":status", "500"]]],
  ["0000cfd75086a0e41d139d09", [[":method", "CONNECT"], [":scheme", "https"], [":authority", "localhost"]]],
  ["00005f500178", [["user-agent", "x"]]],
  ["000021780131", [["x", "1"]]],
  ["000023782d7e01ff", [["x-~", "\xff"]]],
  ["00002f00b95d8749c87a3f89f058d360ea4567b13f", [[":protocol", "webtransport"]]],
];

for (const [hex, fields] of TABLE) {
  Deno.test(`field section ${hex} in both directions`, () => {
    equal(encodeFieldSection(fields).toHex(), hex);
    deepEqual(decode(hex), fields);
  });
}

Deno.test("decodeFieldSection() reads the example of RFC 9204 B.1, and flags and a base without use", () => {
  deepEqual(decode("0000510b2f696e6465782e68746d6c"), [[":path", "/index.html"]]);
  deepEqual(decode("0000710b2f696e6465782e68746d6c"), [[":path", "/index.html"]]);
  deepEqual(decode("0005317800"), [["x", ""]]);
});

Deno.test("each field of the static table has an index of its own", () => {
  equal(STATIC_TABLE.length, 99);
  deepEqual(STATIC_TABLE.map((field) => decodeFieldSection(encodeFieldSection([field]))[0]), STATIC_TABLE);
  const lengths = STATIC_TABLE.map((field) => encodeFieldSection([field]).length);
  deepEqual(lengths, STATIC_TABLE.map((_, index) => index < 63 ? 3 : 4));
});

const BAD: readonly [string, string, readonly string[]][] = [
  ["nothing", "", FAILED],
  ["half a prefix", "00", FAILED],
  ["a needed insertion", "0100", FAILED],
  ["a negative base", "0080", FAILED],
  ["an indexed field of the dynamic table", "000080", FAILED],
  ["a name of the dynamic table", "00004000", FAILED],
  ["an indexed field behind the base", "000010", FAILED],
  ["a name behind the base", "00000000", FAILED],
  ["an index beyond the static table", "0000ff24", FAILED],
  ["a name beyond the static table", "00005f5400", FAILED],
  ["an endless index", "0000ffffffffffffffffffff", FAILED],
  ["a name that is cut short", "00002378", FAILED],
  ["a value that is missing", "00002178", FAILED],
  ["a value that is cut short", "000021780231", FAILED],
  ["a value longer than any memory", "000021787fffffffff7f", FAILED],
  ["Huffman code that is cut short", "0000217881fe", FAILED],
  ["a name in upper case", "000021580131", MALFORMED],
  ["an empty name", "0000200131", MALFORMED],
  ["a colon inside of a name", "000023613a620131", MALFORMED],
  ["a line feed in a value", "00002178010a", MALFORMED],
  ["a carriage return in a value", "00002178010d", MALFORMED],
  ["a zero in a value", "000021780100", MALFORMED],
];

for (const [what, hex, failure] of BAD) {
  Deno.test(`decodeFieldSection() refuses ${what}`, () => {
    deepEqual(http3Failure(() => decode(hex)), failure);
  });
}

Deno.test("decodeFieldSection() stops at its limits, and takes as much as they say", () => {
  const limits = { maxBytes: 100, maxFields: 3 };
  const run = (fields: readonly HeaderField[]) => () =>
    decodeFieldSection(encodeFieldSection(fields), limits);
  equal(http3Failure(run([["a", "x".repeat(67)]])), undefined);
  deepEqual(http3Failure(run([["a", "x".repeat(68)]])), EXCESSIVE);
  equal(http3Failure(run([["a", ""], ["b", ""], ["c", ""]])), undefined);
  deepEqual(http3Failure(run([["a", ""], ["b", ""], ["c", ""], ["d", ""]])), EXCESSIVE);
});

Deno.test("a short section that stands for many fields is refused", () => {
  deepEqual(http3Failure(() => decode("0000" + "d9".repeat(10_000))), EXCESSIVE);
});

Deno.test("encodeFieldSection() refuses what others could misread", () => {
  for (const name of ["", "Origin", "a b", "a:", "é"]) {
    throws(() => encodeFieldSection([[name, ""]]), TypeError);
  }
  for (const value of ["a\r\nb: c", "\0", "Ω"]) throws(() => encodeFieldSection([["a", value]]), TypeError);
});

Deno.test("any fields come back", () => {
  const name = fc.stringMatching(/^:?[a-z0-9_-]{1,20}$/);
  const value = fc.stringMatching(/^[ -~\x80-\xff]{0,40}$/);
  fc.assert(fc.property(fc.array(fc.tuple(name, value), { maxLength: 20 }), (fields) => {
    deepEqual(decodeFieldSection(encodeFieldSection(fields)), fields);
  }));
});

Deno.test("decodeFieldSection() survives any bytes", () => {
  const names: readonly string[] = ["QPACK_DECOMPRESSION_FAILED", "H3_MESSAGE_ERROR", "H3_EXCESSIVE_LOAD"];
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, isPrefixed) => {
    const section = isPrefixed ? Uint8Array.of(0, 0, ...bytes) : bytes;
    const failure = http3Failure(() => decodeFieldSection(section));
    if (failure !== undefined) equal(names.includes(failure[0]), true);
  }));
});
