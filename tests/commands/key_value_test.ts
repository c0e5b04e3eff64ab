/** Tests of KEY=VALUE pairs. */

import assert from "node:assert/strict";
import { formatKeyValue, parseKeyValue } from "../../commands/key_value.ts";

Deno.test("parseKeyValue() splits at the first sign and formatKeyValue() puts it together again", () => {
  for (const [text, pair] of [["a=b", ["a", "b"]], ["a=", ["a", ""]], ["a=b=c", ["a", "b=c"]]] as const) {
    assert.deepEqual(parseKeyValue(text), pair);
    assert.equal(formatKeyValue(pair), text);
  }
});

Deno.test("parseKeyValue() refuses a text without a key", () => {
  for (const text of ["", "a", "=b", "="]) {
    assert.throws(() => parseKeyValue(text), {
      code: "invalid_argument",
      message: `"${text}" is no pair: write KEY=VALUE`,
    });
  }
});
