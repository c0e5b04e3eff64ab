/** Tests of sizes as people write them. */

import assert from "node:assert/strict";
import { formatSize, parseSize, roundSize } from "../../commands/size.ts";

const MIB = 1024 * 1024;

Deno.test("parseSize() reads numbers with and without a unit", () => {
  const cases: [string, number][] = [
    ["0", 0],
    ["4096", 4096],
    ["17B", 17],
    ["64k", 65_536],
    ["64KiB", 65_536],
    ["64kb", 64_000],
    ["512MiB", 512 * MIB],
    ["512 mib", 512 * MIB],
    ["1.5GiB", 1536 * MIB],
    ["2GB", 2_000_000_000],
    ["1T", 1024 * 1024 * MIB],
  ];
  for (const [text, bytes] of cases) assert.equal(parseSize(text), bytes, text);
});

Deno.test("parseSize() refuses everything else and shows how to write it", () => {
  for (
    const text of ["", "MiB", "-1", "+1", "1e9", "1XiB", "1 2", "0x10", "1,5GiB", "9999999TiB", "NaN", " 1"]
  ) {
    assert.throws(() => parseSize(text), { code: "invalid_argument", message: /such as "512MiB"$/ }, text);
  }
});

Deno.test("formatSize() writes what parseSize() reads back", () => {
  const cases: [number, string][] = [
    [0, "0B"],
    [1023, "1023B"],
    [65_536, "64KiB"],
    [512 * MIB, "512MiB"],
    [1536 * MIB, "1536MiB"],
    [2048 * MIB, "2GiB"],
  ];
  for (const [bytes, text] of cases) {
    assert.equal(formatSize(bytes), text);
    assert.equal(parseSize(text), bytes);
  }
});

Deno.test("roundSize() keeps one decimal", () => {
  assert.equal(roundSize(999), "999 B");
  assert.equal(roundSize(1536), "1.5 KiB");
  assert.equal(roundSize(3 * MIB + 1), "3.0 MiB");
});
