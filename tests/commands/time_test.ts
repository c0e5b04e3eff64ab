/** Tests of points in time as people write them. */

import assert from "node:assert/strict";
import { formatTime, parseTime } from "../../commands/time.ts";

const NOW_MS = Date.UTC(2026, 10, 21, 12, 0, 0);

Deno.test("parseTime() reads RFC 3339 and durations from now", () => {
  const cases: [string, number][] = [
    ["2026-11-21T12:00:00Z", NOW_MS],
    ["2026-11-21T13:30:00+01:30", NOW_MS],
    ["2026-11-21 12:00:00.250z", NOW_MS + 250],
    ["+10m", NOW_MS + 600_000],
    ["+1h30m", NOW_MS + 5_400_000],
  ];
  for (const [text, ms] of cases) assert.equal(parseTime(text, NOW_MS), ms, text);
});

Deno.test("parseTime() refuses times without an offset and days that do not exist", () => {
  for (
    const text of [
      "",
      "tomorrow",
      "2026-11-21",
      "2026-11-21T12:00:00",
      "2026-13-01T00:00:00Z",
      "2026-02-30T00:00:00Z",
      "2026-02-28T25:00:00Z",
      "12:00",
      "-10m",
    ]
  ) {
    assert.throws(() => parseTime(text, NOW_MS), { code: "invalid_argument", message: /is no time/ }, text);
  }
  assert.throws(() => parseTime("+10", NOW_MS), { message: /has no unit/ });
});

Deno.test("formatTime() writes what parseTime() reads back", () => {
  assert.equal(formatTime(NOW_MS), "2026-11-21T12:00:00.000Z");
  assert.equal(parseTime(formatTime(NOW_MS + 7), NOW_MS), NOW_MS + 7);
});
