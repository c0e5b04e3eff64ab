/** Tests of how errors are shown and what status they give. */

import assert from "node:assert/strict";
import { interrupted } from "../../commands/interrupt.ts";
import { failureStatus, reportError, taskFailureStatus } from "../../commands/report_error.ts";
import { type Code, WasimoffError } from "../../core/errors.ts";
import { Logger } from "../../core/log.ts";

function shown(error: unknown): string[] {
  const lines: string[] = [];
  reportError(error, new Logger((level, message) => lines.push(`${level} ${message}`)));
  return lines;
}

Deno.test("reportError() writes one line, and the chain of causes for those who want details", () => {
  const cause = new TypeError("socket", { cause: "reset" });
  assert.deepEqual(shown(new WasimoffError("unavailable", "cannot reach", { cause })), [
    "error cannot reach",
    "debug caused by: TypeError: socket",
    "debug caused by: reset",
  ]);
});

Deno.test("reportError() survives causes that form a ring", () => {
  const error = new Error("a");
  error.cause = error;
  assert.equal(shown(error).length, 9);
});

Deno.test("failureStatus() and taskFailureStatus() follow the table of exit codes", () => {
  const cases: [Code, number, number][] = [
    ["invalid_argument", 2, 2],
    ["unauthenticated", 4, 125],
    ["permission_denied", 4, 125],
    ["unavailable", 69, 125],
    ["resource_exhausted", 75, 125],
    ["failed_precondition", 78, 125],
    ["internal", 1, 125],
    ["not_found", 1, 125],
  ];
  for (const [code, other, task] of cases) {
    assert.equal(failureStatus(new WasimoffError(code, "")), other, code);
    assert.equal(taskFailureStatus(new WasimoffError(code, "")), task, code);
  }
  for (const status of [failureStatus, taskFailureStatus]) {
    assert.equal(status(interrupted("SIGINT")), 130);
    assert.equal(status(interrupted("SIGTERM")), 143);
  }
  assert.equal(failureStatus(new Error("bug")), 1);
});
