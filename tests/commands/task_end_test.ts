/** Tests of reporting the end of a task. */

import assert from "node:assert/strict";
import { interrupted } from "../../commands/interrupt.ts";
import { outcomeOf } from "../../commands/run_guest.ts";
import { reportTaskEnd, unstarted, withSignalStatus } from "../../commands/task_end.ts";
import { type Code, WasimoffError } from "../../core/errors.ts";
import { Logger } from "../../core/log.ts";
import { exited, failed, type Outcome } from "../../core/outcome.ts";

function report(outcome: Outcome): string[] {
  const said: string[] = [];
  const log = new Logger((level, message) => level === "debug" || said.push(message));
  reportTaskEnd(unstarted(outcome), log);
  return said;
}

Deno.test("reportTaskEnd() says why a task did not end by itself, and nothing else", () => {
  assert.deepEqual(report(exited(7)), []);
  assert.deepEqual(report(failed("timeout", "provider", "ran too long")), ["ran too long"]);
  assert.deepEqual(report(failed("trap", "guest", "")), ["the task ended: trap"]);
});

Deno.test("withSignalStatus() gives the status of the signal that cancelled the task", () => {
  const status = (outcome: Outcome, signal: AbortSignal) =>
    withSignalStatus(unstarted(outcome), signal).outcome.status;
  const cancelled = failed("cancelled", "client", "interrupted");
  assert.equal(status(cancelled, new AbortController().signal), 143);
  assert.equal(status(cancelled, AbortSignal.abort(interrupted("SIGINT"))), 130);
  assert.equal(status(cancelled, AbortSignal.abort(interrupted("SIGTERM"))), 143);
  assert.equal(status(exited(7), AbortSignal.abort(interrupted("SIGINT"))), 7);
});

Deno.test("outcomeOf() gives every failure of ours a reason and a status", () => {
  const cases: [Code, string, number][] = [
    ["canceled", "cancelled", 143],
    ["deadline_exceeded", "timeout", 124],
    ["out_of_range", "limit", 125],
    ["unavailable", "lost", 125],
    ["internal", "lost", 125],
    ["unauthenticated", "rejected", 125],
    ["resource_exhausted", "rejected", 125],
    ["not_found", "rejected", 125],
  ];
  for (const [code, reason, status] of cases) {
    assert.deepEqual(outcomeOf(new WasimoffError(code, "why")), {
      reason,
      status,
      origin: "client",
      message: "why",
    });
  }
});
