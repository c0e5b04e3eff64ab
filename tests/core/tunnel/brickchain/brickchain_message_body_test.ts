import { deepStrictEqual, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { bodyToBytes, bytesToBody } from "../../../../core/tunnel/brickchain/brickchain_message_body.ts";

const bytes = (...values: number[]) => Uint8Array.from(values);

Deno.test("bytesToBody() leaves UTF-8 the text that it is, a byte order mark included", () => {
  const text = "\ufeffgrüße 🌍\0";
  strictEqual(bytesToBody(new TextEncoder().encode(text)), text);
  deepStrictEqual(bodyToBytes(text), new TextEncoder().encode(text));
});

Deno.test("the bytes that existing programs break come back whole", () => {
  const recorded = bytes(0xff, 0xfe, 0x00, 0x01, 0x80);
  strictEqual(bytesToBody(recorded), "\udcff\udcfe\0\x01\udc80");
  deepStrictEqual(bodyToBytes(bytesToBody(recorded)), recorded);
});

const escaped: readonly (readonly [string, Uint8Array, string])[] = [
  ["an overlong form", bytes(0xc0, 0xaf), "\udcc0\udcaf"],
  ["an overlong form of three", bytes(0xe0, 0x9f, 0xbf), "\udce0\udc9f\udcbf"],
  ["a surrogate", bytes(0xed, 0xb2, 0x80), "\udced\udcb2\udc80"],
  ["beyond Unicode", bytes(0xf4, 0x90, 0x80, 0x80), "\udcf4\udc90\udc80\udc80"],
  ["a character cut short", bytes(0x61, 0xe2, 0x82), "a\udce2\udc82"],
  ["a character behind a broken one", bytes(0xe2, 0xe2, 0x82, 0xac), "\udce2€"],
  ["four bytes beside a broken one", bytes(0xf0, 0x9f, 0x8c, 0x8d, 0xff), "🌍\udcff"],
];
for (const [what, from, body] of escaped) {
  Deno.test(`bytesToBody() escapes ${what}`, () => {
    strictEqual(bytesToBody(from), body);
    deepStrictEqual(bodyToBytes(body), from);
  });
}

Deno.test("any bytes survive the way through JSON", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (value) => {
      deepStrictEqual(bodyToBytes(JSON.parse(JSON.stringify(bytesToBody(value)))), value);
    }),
  );
  const large = crypto.getRandomValues(new Uint8Array(60_000));
  deepStrictEqual(bodyToBytes(bytesToBody(large)), large);
});

Deno.test("bodyToBytes() gives the replacement character for surrogates that are no escape", () => {
  deepStrictEqual(bodyToBytes("a\ud800b\udfffc"), new TextEncoder().encode("a\ufffdb\ufffdc"));
});
