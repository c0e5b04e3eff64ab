import { deepEqual, equal } from "node:assert/strict";
import * as fc from "fast-check";
import { decodeHuffman, encodeHuffman, huffmanLength } from "../../../core/webtransport/huffman.ts";
import { http3Failure } from "../../support/http3_failure.ts";

const FAILED = ["QPACK_DECOMPRESSION_FAILED", "connection"];

/** RFC 7541 C.4 and C.6, then single bytes of appendix B with their padding. */
const TABLE: readonly [string, string][] = [
  ["", ""],
  ["www.example.com", "f1e3c2e5f23a6ba0ab90f4ff"],
  ["no-cache", "a8eb10649cbf"],
  ["custom-key", "25a849e95ba97d7f"],
  ["custom-value", "25a849e95bb8e8b4bf"],
  ["302", "6402"],
  ["307", "640eff"],
  ["private", "aec3771a4b"],
  ["gzip", "9bd9ab"],
  ["Mon, 21 Oct 2013 20:13:21 GMT", "d07abe941054d444a8200595040b8166e082a62d1bff"],
  ["https://www.example.com", "9d29ad171863c78f0b97c8e9ae82ae43d3"],
  [
    "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1",
    "94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007",
  ],
  ["\0", "ffc7"],
  ["\n", "fffffff3"],
  ["\xf9", "ffffffef"],
  ["\xff", "fffffbbf"],
];

const bytesOf = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));

for (const [text, hex] of TABLE) {
  Deno.test(`${JSON.stringify(text)} is ${hex} in Huffman code, in both directions`, () => {
    equal(encodeHuffman(bytesOf(text)).toHex(), hex);
    equal(huffmanLength(bytesOf(text)), hex.length / 2);
    deepEqual(decodeHuffman(Uint8Array.fromHex(hex)), bytesOf(text));
  });
}

const BAD: readonly [string, string][] = [
  ["padding of a whole byte", "6402ff"],
  ["padding that is not all ones", "640efe"],
  ["nothing but padding of a byte", "ff"],
  ["an end inside of a code", "fffffff0"],
  ["the sign of the end", "fffffffc"],
  ["the sign of the end before others", "fffffffdffff"],
];

for (const [what, hex] of BAD) {
  Deno.test(`decodeHuffman() refuses ${what}`, () => {
    deepEqual(http3Failure(() => decodeHuffman(Uint8Array.fromHex(hex))), FAILED);
  });
}

Deno.test("decodeHuffman() reads what encodeHuffman() writes", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
    deepEqual(decodeHuffman(encodeHuffman(bytes)), bytes);
  }));
});

Deno.test("decodeHuffman() survives any bytes, and only the one code of a text is taken", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
    const failure = http3Failure(() => deepEqual(encodeHuffman(decodeHuffman(bytes)), bytes));
    if (failure !== undefined) deepEqual(failure, FAILED);
  }));
});
