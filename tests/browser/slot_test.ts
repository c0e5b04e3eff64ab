/** Tests of slots in the Workers of a real browser. */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { browserTest } from "../support/chromium.ts";
import { openSlotPage } from "../support/slot_page.ts";
import { guestTask } from "../support/slot_tasks.ts";

browserTest("a slot in a browser gives the guest's own status", async () => {
  await using page = await openSlotPage();
  for (const status of [0, 7, 42]) {
    const { outcome } = await page.run(guestTask(["exit", `${status}`]));
    deepStrictEqual(outcome, { reason: "exit", origin: "guest", status, message: "" });
  }
  const end = await page.run(guestTask(["trap"]));
  strictEqual(end.outcome.reason, "trap");
});
