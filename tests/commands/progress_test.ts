/** Tests of progress lines. */

import assert from "node:assert/strict";
import { Progress } from "../../commands/progress.ts";

function start(isTerminal: boolean) {
  const written: string[] = [];
  const clock = { ms: 0 };
  const progress = new Progress({ isTerminal, write: (text) => written.push(text), now: () => clock.ms });
  return { progress, written, clock };
}

Deno.test("Progress redraws a terminal at most every 100 ms and clears its line", () => {
  const { progress, written, clock } = start(true);
  for (clock.ms = 0; clock.ms <= 250; clock.ms += 10) progress.update(() => `${clock.ms}`);
  progress.close();
  progress.close();
  assert.deepEqual(written, [
    "\r\x1b[Kwasimoff: 0",
    "\r\x1b[Kwasimoff: 100",
    "\r\x1b[Kwasimoff: 200",
    "\r\x1b[K",
  ]);
});

Deno.test("Progress writes a plain line every 10 s elsewhere, and none for short work", () => {
  const { progress, written, clock } = start(false);
  for (clock.ms = 0; clock.ms <= 25_000; clock.ms += 500) progress.update(() => `${clock.ms}`);
  progress.close();
  assert.deepEqual(written, ["wasimoff: 10000\n", "wasimoff: 20000\n"]);
});
