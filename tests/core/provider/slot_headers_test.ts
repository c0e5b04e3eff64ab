/** Tests of the JSON that slots and providers exchange. */

import { deepStrictEqual, throws } from "node:assert/strict";
import { exited } from "../../../core/outcome.ts";
import { decodeDone, decodeRun, encodeDone, encodeRun } from "../../../core/provider/slot_headers.ts";
import { HEADER_BYTES, MAX_FRAME_BYTES } from "../../../core/provider/slot_protocol.ts";
import { fileOf, guestTask } from "../../support/slot_tasks.ts";

const DONE = { outcome: exited(3), durationMs: 1.5, memoryBytes: 65536, rssBytes: 5e7, keptBytes: 1e6 };

Deno.test("encodeRun() says everything about a task but the contents of its files", () => {
  const zip = fileOf(new Uint8Array([1]));
  const task = guestTask(["a\u0000b", "ü"], {
    env: ["K=v"],
    preopens: [{ guest: "/", zip, readOnly: true }, { guest: ".", zip: null, readOnly: false }],
    artifacts: ["out"],
  });
  deepStrictEqual(decodeRun(encodeRun(task, { stdin: true, result: false }).subarray(HEADER_BYTES)), {
    module: task.module.ref,
    args: ["guest", "a\u0000b", "ü"],
    env: ["K=v"],
    preopens: [
      { guest: "/", zip: zip.ref, readOnly: true },
      { guest: ".", zip: null, readOnly: false },
    ],
    artifacts: ["out"],
    lenientArtifacts: false,
    limits: task.limits,
    deterministic: false,
    python: null,
    stdin: true,
    result: false,
  });
});

Deno.test("encodeRun() says how a Python program is run", () => {
  const task = { ...guestTask([]), python: { kind: "pickle", packages: ["numpy"] } as const };
  deepStrictEqual(
    decodeRun(encodeRun(task, { stdin: false, result: true }).subarray(HEADER_BYTES)).python,
    task.python,
  );
});

Deno.test("encodeRun() refuses a task larger than a frame", () => {
  throws(
    () => encodeRun(guestTask(["x".repeat(MAX_FRAME_BYTES)]), { stdin: false, result: false }),
    RangeError,
  );
});

Deno.test("decodeDone() gives back what encodeDone() wrote", () => {
  deepStrictEqual(decodeDone(encodeDone(DONE).subarray(HEADER_BYTES)), DONE);
});

Deno.test("decodeDone() refuses what no sound slot would say", () => {
  const odd: unknown[] = [
    null,
    {},
    { ...DONE, outcome: null },
    { ...DONE, outcome: { ...DONE.outcome, reason: "bored" } },
    { ...DONE, outcome: { ...DONE.outcome, origin: "moon" } },
    { ...DONE, outcome: { ...DONE.outcome, status: 1.5 } },
    { ...DONE, outcome: { ...DONE.outcome, message: 1 } },
    { ...DONE, durationMs: -1 },
    { ...DONE, memoryBytes: "1" },
    { ...DONE, rssBytes: undefined },
    { ...DONE, keptBytes: -1 },
  ];
  for (const value of odd) {
    throws(() => decodeDone(new TextEncoder().encode(JSON.stringify(value))), { code: "internal" });
  }
  throws(() => decodeDone(new TextEncoder().encode("{")), { code: "internal", message: /no JSON/ });
});
