/** Tests of reporting the end of a task. */

import assert from "node:assert/strict";
import { interrupted } from "../../commands/interrupt.ts";
import { outcomeOf } from "../../commands/run_guest.ts";
import { reportTaskEnd, unstarted } from "../../commands/task_end.ts";
import { type Code, WasimoffError } from "../../core/errors.ts";
import { Logger } from "../../core/log.ts";
import { exited, failed, type Outcome } from "../../core/outcome.ts";

const running = new AbortController().signal;

function report(outcome: Outcome, signal = running): { status: number; said: string[] } {
  const said: string[] = [];
  const log = new Logger((level, message) => level === "debug" || said.push(message));
  return { status: reportTaskEnd(unstarted(outcome), log, signal), said };
}

Deno.test("reportTaskEnd() passes the guest's own status through without a word", () => {
  assert.deepEqual(report(exited(7)), { status: 7, said: [] });
});

Deno.test("reportTaskEnd() says why a task did not end by itself", () => {
  assert.deepEqual(report(failed("timeout", "provider", "ran too long")), {
    status: 124,
    said: ["ran too long"],
  });
  assert.deepEqual(report(failed("trap", "guest", "")), { status: 134, said: ["the task ended: trap"] });
});

Deno.test("reportTaskEnd() gives the status of the signal that cancelled the task", () => {
  const cancelled = failed("cancelled", "client", "interrupted");
  assert.equal(report(cancelled).status, 143);
  assert.equal(report(cancelled, AbortSignal.abort(interrupted("SIGINT"))).status, 130);
  assert.equal(report(cancelled, AbortSignal.abort(interrupted("SIGTERM"))).status, 143);
  assert.equal(report(exited(0), AbortSignal.abort(interrupted("SIGINT"))).status, 0);
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
