/** Tests of cutting bytes into text and bytes. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { type Piece, TextOrBytes } from "../../commands/text_or_bytes.ts";

function pieces(chunks: readonly Uint8Array[]): Piece[] {
  const cutter = new TextOrBytes();
  return [...chunks.map((chunk) => cutter.push(chunk)), cutter.end()].filter((piece) => piece !== null);
}

const bytesOf = (piece: Piece) => "text" in piece ? new TextEncoder().encode(piece.text) : piece.bytes;

Deno.test("TextOrBytes keeps a character together that is split between chunks", () => {
  const euro = new TextEncoder().encode("1€2");
  for (let cut = 1; cut < euro.length; cut++) {
    const found = pieces([euro.slice(0, cut), euro.slice(cut)]);
    assert.equal(found.every((piece) => "text" in piece), true, `cut at ${cut}`);
    assert.equal(found.map((piece) => "text" in piece ? piece.text : "").join(""), "1€2", `cut at ${cut}`);
  }
  const [rocket] = [new TextEncoder().encode("🚀")];
  assert.deepEqual(pieces(Array.from(rocket!, (byte) => Uint8Array.of(byte))), [{ text: "🚀" }]);
});

Deno.test("TextOrBytes gives bytes where they are no UTF-8", () => {
  assert.deepEqual(pieces([Uint8Array.of(0x61, 0xff)]), [{ bytes: Uint8Array.of(0x61, 0xff) }]);
  assert.deepEqual(pieces([Uint8Array.of(0x80)]), [{ bytes: Uint8Array.of(0x80) }]);
  assert.deepEqual(pieces([Uint8Array.of(0xe2, 0x82)]), [{ bytes: Uint8Array.of(0xe2, 0x82) }]);
  assert.deepEqual(pieces([Uint8Array.of(0xe2), Uint8Array.of(0x61)]), [{
    bytes: Uint8Array.of(0xe2, 0x61),
  }]);
});

Deno.test("TextOrBytes keeps a byte order mark", () => {
  assert.deepEqual(pieces([Uint8Array.of(0xef, 0xbb, 0xbf, 0x61)]), [{ text: "\ufeffa" }]);
});

Deno.test("TextOrBytes loses no byte of any stream", () => {
  const chunk = fc.oneof(
    fc.uint8Array({ maxLength: 6 }),
    fc.string({ unit: "binary" }).map((t) => new TextEncoder().encode(t)),
  );
  fc.assert(
    fc.property(fc.array(chunk, { maxLength: 8 }), (chunks) => {
      const all = chunks.flatMap((bytes) => [...bytes]);
      assert.deepEqual(pieces(chunks).flatMap((piece) => [...bytesOf(piece)]), all);
    }),
    { numRuns: 100 },
  );
});
