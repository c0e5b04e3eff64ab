import { match, strictEqual, throws } from "node:assert/strict";
import { checkFitV1, noticeV1, type UnstoredTask } from "../../../core/client/fit_v1.ts";

const NOTICE = "this broker takes all input first and gives output at the end";
const task = (fields: Partial<UnstoredTask>): UnstoredTask => ({ args: ["x"], ...fields });

const SCRIPT = { kind: "script", packages: [] } as const;

/** Every wish that v1 has no place for, and what is said then: null where it is carried. */
const WISHES: Readonly<Record<string, readonly [fields: Partial<UnstoredTask>, refused: string | null]>> = {
  "nothing special": [{}, null],
  "--memory": [{ memoryBytes: 1 }, "a memory limit"],
  "--cpu-time": [{ cpuMs: 1 }, "a limit of CPU time"],
  "--disk": [{ diskBytes: 1 }, "a disk limit"],
  "--max-output": [{ outputBytes: 1 }, "an output limit"],
  "--deterministic": [{ deterministic: true }, "a deterministic run"],
  "no --deterministic": [{ deterministic: false, require: {} }, null],
  "--require": [{ require: { gpu: "yes" } }, "required labels"],
  "--attempts": [{ attempts: 1 }, "a number of attempts"],
  "--rootfs": [{ preopens: [{ guest: "/", readOnly: false }] }, null],
  "an empty .": [{ preopens: [{ guest: "." }] }, null],
  "--dir data": [{ preopens: [{ guest: "data" }] }, "other directories than one writable /"],
  "--dir data::/::ro": [
    { preopens: [{ guest: "/", readOnly: true }] },
    "other directories than one writable /",
  ],
  "two of --dir": [{ preopens: [{ guest: "/" }, { guest: "." }] }, "other directories than one writable /"],
  "--python": [{ python: SCRIPT, preopens: [] }, null],
  "--python --rootfs": [{ python: SCRIPT, preopens: [{ guest: "/mnt", readOnly: false }] }, null],
  "--python --dir data": [
    { python: SCRIPT, preopens: [{ guest: "data" }] },
    "other directories than /mnt for Python",
  ],
  "--python with arguments": [{ python: SCRIPT, args: ["x", "y"] }, "arguments of a Python program"],
  "--artifact PATH": [{ artifacts: ["out/a.txt"] }, null],
  "--artifact with a pattern": [{ artifacts: ["a", "*.txt"] }, "patterns of artifacts"],
  "--timeout, --deadline, --priority, --immediate, --trace": [
    { timeoutMs: 1, deadline: 1, priority: true, immediate: true, trace: true },
    null,
  ],
};

for (const [wish, [fields, refused]] of Object.entries(WISHES)) {
  Deno.test(`an existing broker and ${wish}: ${refused === null ? "carried" : "refused"}`, () => {
    if (refused === null) return checkFitV1(task(fields));
    throws(() => checkFitV1(task(fields)), {
      code: "failed_precondition",
      message:
        `this broker speaks wasimoff_v1, which cannot carry ${refused}: leave that out or use a newer broker`,
    });
  });
}

Deno.test("the notice is one line with everything that an existing broker does less well", () => {
  strictEqual(noticeV1(task({})), NOTICE);
  const notice = noticeV1(task({ timeoutMs: 1, priority: true, immediate: true, artifacts: ["a"] }));
  match(
    notice,
    /^this broker [^\n]*; the timeout counts from now on, waiting included; priority means nothing there; /,
  );
  match(notice, /; --immediate is left to the provider; directories come back empty$/);
});
