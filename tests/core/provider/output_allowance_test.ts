/** Tests of what a guest may write that cannot be made to wait. */

import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { MAX_BLIND_OUTPUT_BYTES, OutputAllowance } from "../../../core/provider/output_allowance.ts";

Deno.test("OutputAllowance.take() lets through what is allowed to the last byte", () => {
  const allowance = new OutputAllowance();
  allowance.take(MAX_BLIND_OUTPUT_BYTES - 1);
  allowance.take(1);
  allowance.take(0);
  strictEqual(allowance.problem, null);
});

Deno.test("OutputAllowance.take() stops the guest beyond that, and the task ends with a limit for good", () => {
  const allowance = new OutputAllowance();
  throws(() => allowance.take(MAX_BLIND_OUTPUT_BYTES + 1), /16777216 bytes/);
  throws(() => allowance.take(1), /16777216 bytes/);
  const { reason, origin, status } = allowance.problem!;
  deepStrictEqual([reason, origin, status], ["limit", "provider", 125]);
});
