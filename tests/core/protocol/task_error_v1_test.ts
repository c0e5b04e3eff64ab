import { deepStrictEqual } from "node:assert/strict";
import { failed, type Outcome, type Reason, REASONS } from "../../../core/outcome.ts";
import { decodeTaskError, encodeTaskError } from "../../../core/protocol/task_error_v1.ts";

Deno.test("the reason of an end survives the way through the text of v1", () => {
  for (const reason of REASONS) {
    if (reason === "exit") continue;
    for (const message of ["why: because", ""]) {
      const { reason: decoded, message: text } = decodeTaskError(
        encodeTaskError(failed(reason, "guest", message)),
      );
      deepStrictEqual([decoded, text], [reason, message]);
    }
  }
});

/** What existing providers say, and what it means. */
const TEXTS: Readonly<Record<string, readonly [reason: Reason, origin: Outcome["origin"], status: number]>> =
  {
    "RuntimeError: unreachable": ["trap", "guest", 134],
    "undefined": ["trap", "guest", 134],
    "": ["trap", "guest", 134],
    "exit: 3": ["trap", "guest", 134],
    "memory full": ["trap", "guest", 134],
    "qos: no idle workers for immediate mode": ["rejected", "provider", 125],
    "Error: no workers in pool": ["rejected", "provider", 125],
    "zip not found in storage": ["rejected", "provider", 127],
    "CompileError: WebAssembly.Module(): expected magic word": ["rejected", "provider", 126],
    "WebAssembly.LinkError: import object field": ["rejected", "provider", 126],
  };

for (const [text, [reason, origin, status]] of Object.entries(TEXTS)) {
  Deno.test(`the task error "${text}" is ${reason}`, () => {
    deepStrictEqual(decodeTaskError(text), { reason, origin, status, message: text });
  });
}
