/** Tests of plain tables. */

import assert from "node:assert/strict";
import { formatTable } from "../../commands/table.ts";

Deno.test("formatTable() aligns columns without trailing spaces", () => {
  assert.equal(
    formatTable(["NAME", "SIZE"], [["a.wasm", "1 B"], ["b", "12.5 MiB"]]),
    "NAME    SIZE\na.wasm  1 B\nb       12.5 MiB",
  );
  assert.equal(formatTable(["NAME"], []), "NAME");
});

Deno.test("formatTable() makes control characters of others harmless", () => {
  assert.equal(formatTable(["NAME"], [["a\x1b[2Jb\nc\u202e"]]), "NAME\na\\x1b[2Jb\\nc\\u202e");
});
