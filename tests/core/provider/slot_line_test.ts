import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { SlotLine } from "../../../core/provider/slot_line.ts";

const never = new AbortController().signal;

Deno.test("SlotLine hands slots over in the order of arrival", async () => {
  const line = new SlotLine({ slots: 1, maxWaiting: 2 });
  const order: string[] = [];
  const leave = await line.enter(never);
  strictEqual(line.idle, 0);
  const waiting = ["first", "second"].map(async (name) => {
    const leave = await line.enter(never);
    order.push(name);
    leave();
  });
  leave();
  await Promise.all(waiting);
  deepStrictEqual([order, line.idle, line.taken], [["first", "second"], 1, 0]);
});

Deno.test("SlotLine lets nobody wait beyond its bound, and frees the place of who leaves", async () => {
  const line = new SlotLine({ slots: 1, maxWaiting: 1 });
  const leave = await line.enter(never);
  const stop = new AbortController();
  const waiting = line.enter(stop.signal);
  await rejects(line.enter(never), { code: "resource_exhausted" });
  stop.abort(new Error("enough"));
  await rejects(waiting, { message: "enough" });
  await rejects(line.enter(stop.signal), { message: "enough" });
  const next = line.enter(never);
  leave();
  (await next)();
  strictEqual(line.idle, 1);
});
