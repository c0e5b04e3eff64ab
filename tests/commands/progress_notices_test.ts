/** Tests of what submit says while its task is on the way. */

import assert from "node:assert/strict";
import FakeTimers from "@sinonjs/fake-timers";
import { ProgressNotices } from "../../commands/progress_notices.ts";
import { Logger } from "../../core/log.ts";

function notices() {
  const said: string[] = [];
  const log = new Logger((level, message) => level === "debug" || said.push(message));
  return { said, notices: new ProgressNotices(log) };
}

const queued = { task: "t", state: "queued", provider: "", detail: "no provider is connected" } as const;

Deno.test("ProgressNotices says why a task waits, but only after a while", () => {
  const clock = FakeTimers.install({ toFake: ["setTimeout", "clearTimeout"] });
  try {
    const { said, notices: shown } = notices();
    shown.report(queued);
    clock.tick(999);
    assert.deepEqual(said, []);
    clock.tick(1);
    assert.deepEqual(said, ["waiting in the queue: no provider is connected"]);
  } finally {
    clock.uninstall();
  }
});

Deno.test("ProgressNotices says nothing of a wait that has ended", () => {
  const clock = FakeTimers.install({ toFake: ["setTimeout", "clearTimeout"] });
  try {
    const { said, notices: shown } = notices();
    shown.report(queued);
    shown.report({ ...queued, state: "running", detail: "" });
    shown.report({ ...queued, state: "retrying", detail: "" });
    shown.report(queued);
    shown.close();
    clock.tick(10_000);
    assert.deepEqual(said, ["trying another provider: one was lost"]);
  } finally {
    clock.uninstall();
  }
});
