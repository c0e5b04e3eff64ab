/** Many time limits by one timer. */

import { deepStrictEqual } from "node:assert/strict";
import { Deadlines } from "../../../core/webtransport/deadlines.ts";
import { fakeClock } from "../../support/session_pair.ts";

Deno.test("Deadlines tells each item that is late, in time, and none that was deleted", async () => {
  using clock = fakeClock();
  const late: string[] = [];
  const deadlines = new Deadlines<string>(1_000, (item) => late.push(`${performance.now()} ${item}`));
  deadlines.add("deleted");
  await clock.tick(300);
  deadlines.add("a");
  deadlines.delete("deleted");
  await clock.tick(500);
  deadlines.add("b");
  deadlines.add("deleted, too");
  deadlines.delete("deleted, too");
  await clock.tick(5_000);
  deadlines.add("c");
  await clock.tick(5_000);
  deepStrictEqual(late, ["1300 a", "1800 b", "6800 c"]);
});

Deno.test("Deadlines.stop() leaves no timer", async () => {
  using clock = fakeClock();
  const late: string[] = [];
  const deadlines = new Deadlines<string>(1_000, (item) => late.push(item));
  deadlines.add("a");
  deadlines.stop();
  deadlines.add("b");
  await clock.tick(5_000);
  deepStrictEqual(late, []);
});
