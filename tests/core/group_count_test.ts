import { strictEqual } from "node:assert/strict";
import { GroupCount } from "../../core/group_count.ts";

Deno.test("each group has its own bound, who belongs to none has no bound", () => {
  const count = new GroupCount(2);
  const leave = count.enter("a")!;
  strictEqual(count.enter("a") === null, false);
  strictEqual(count.enter("a"), null);
  strictEqual(count.enter("b") === null, false);
  for (let i = 0; i < 10; i++) strictEqual(count.enter(null) === null, false);
  leave();
  strictEqual(count.enter("a") === null, false);
  strictEqual(count.enter("a"), null);
});

Deno.test("who leaves twice has left once", () => {
  const count = new GroupCount(2);
  const leave = count.enter("a")!;
  count.enter("a");
  leave();
  leave();
  strictEqual(count.enter("a") === null, false);
  strictEqual(count.enter("a"), null);
});
