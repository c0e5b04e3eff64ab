/** Tests of durations as people write them. */

import assert from "node:assert/strict";
import { formatDuration, parseDuration } from "../../commands/duration.ts";

Deno.test("parseDuration() reads one or several parts", () => {
  const cases: [string, number][] = [
    ["0", 0],
    ["500ms", 500],
    ["1.5s", 1500],
    ["30s", 30_000],
    ["5m", 300_000],
    ["1h30m", 5_400_000],
    ["2d", 172_800_000],
    ["0s", 0],
  ];
  for (const [text, ms] of cases) assert.equal(parseDuration(text), ms, text);
});

Deno.test("parseDuration() refuses everything else and shows how to write it", () => {
  for (const text of ["", "m", "5x", "-5m", "5m!", "1h 30m", "ms5", "999999999999d", "5M"]) {
    assert.throws(() => parseDuration(text), { code: "invalid_argument", message: /such as "90s"/ }, text);
  }
  assert.throws(() => parseDuration("30"), { message: '"30" has no unit: write "30s" or "30m"' });
});

Deno.test("formatDuration() writes what parseDuration() reads back", () => {
  const cases: [number, string][] = [
    [0, "0s"],
    [1, "1ms"],
    [1500, "1s500ms"],
    [30_000, "30s"],
    [600_000, "10m"],
    [5_400_000, "1h30m"],
    [90_000_000, "1d1h"],
  ];
  for (const [ms, text] of cases) {
    assert.equal(formatDuration(ms), text);
    assert.equal(parseDuration(text), ms);
  }
});
