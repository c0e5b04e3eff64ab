import { equal, rejects } from "node:assert/strict";
import { delay } from "../../core/delay.ts";
import { WasimoffError } from "../../core/errors.ts";
import { fakeClock } from "../support/session_pair.ts";

const STOP = new WasimoffError("canceled", "stop");

Deno.test("delay() resolves when its time has come, not before", async () => {
  using clock = fakeClock();
  let done = false;
  void delay(100, new AbortController().signal).then(() => done = true);
  await clock.tick(99);
  equal(done, false);
  await clock.tick(1);
  equal(done, true);
});

Deno.test("delay() rejects with the signal's reason, before and while it waits", async () => {
  await rejects(delay(1_000_000, AbortSignal.abort(STOP)), STOP);
  const controller = new AbortController();
  const wait = delay(1_000_000, controller.signal);
  controller.abort(STOP);
  await rejects(wait, STOP);
});
