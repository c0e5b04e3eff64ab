import { deepEqual, equal } from "node:assert/strict";
import { exited, failed, REASONS, STATUS, STATUS_INVALID_MODULE } from "../../core/outcome.ts";

Deno.test("every reason but the guest's own exit has the exit status of cli.md", () => {
  deepEqual(STATUS, {
    timeout: 124,
    memory: 137,
    trap: 134,
    cancelled: 143,
    lost: 125,
    rejected: 125,
    limit: 125,
  });
  deepEqual(["exit", ...Object.keys(STATUS)].sort(), [...REASONS].sort());
});

Deno.test("failed() takes the status of its reason unless told another", () => {
  deepEqual(failed("trap", "guest", "unreachable"), {
    reason: "trap",
    origin: "guest",
    status: 134,
    message: "unreachable",
  });
  equal(failed("rejected", "provider", "no module", STATUS_INVALID_MODULE).status, 126);
});

Deno.test("exited() is the guest's own status without a message", () => {
  deepEqual(exited(3), { reason: "exit", origin: "guest", status: 3, message: "" });
});
