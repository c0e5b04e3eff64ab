/** Tests of reading what a process has used. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { cpuUsage } from "node:process";
import { openUsageReader, parseStat } from "../../../core/host/process_usage.ts";

const UNITS = { ticksPerSecond: 100, pageBytes: 4096 };
const TAIL =
  "6785 6785 2829 0 -1 4194304 3379 0 0 0 123 16 5 6 20 0 6 0 1191155 18596585472 9668 18446744073709551615";

Deno.test("parseStat() finds CPU time and memory behind any name", () => {
  for (const name of ["deno", "a b", "x) R (y", "))", ""]) {
    deepStrictEqual(
      parseStat(`6922 (${name}) R ${TAIL}\n`, UNITS),
      { cpuMs: 1390, rssBytes: 9668 * 4096 },
      name,
    );
  }
  deepStrictEqual(parseStat(`1 (arm) S ${TAIL}`, { ticksPerSecond: 1000, pageBytes: 65536 }), {
    cpuMs: 139,
    rssBytes: 9668 * 65536,
  });
});

Deno.test("parseStat() knows nothing of zombies and broken lines", () => {
  for (const line of [`1 (deno) Z ${TAIL}`, `1 (deno) X ${TAIL}`, "", "1 (deno", "1 (deno) R 1 2 3"]) {
    strictEqual(parseStat(line, UNITS), null, line);
  }
});

Deno.test({
  name: "openUsageReader() tells CPU time and memory of our own process, and none of one that is not there",
  ignore: Deno.build.os !== "linux",
  fn() {
    const read = openUsageReader();
    const { rss } = Deno.memoryUsage();
    const { cpuMs, rssBytes } = read(Deno.pid)!;
    ok(Math.abs(rssBytes - rss) < 16 * 1024 * 1024, `${rssBytes} is not ${rss}`);
    const { user, system } = cpuUsage();
    ok(Math.abs((user + system) / 1000 - cpuMs) < 50, `${cpuMs} ms`);
    strictEqual(read(2 ** 22 + 1), null); // beyond the highest process id
  },
});
