/**
 * Hidden subcommand `python-slot`: a child of the provider that runs one Python task.
 *
 * Python code reaches all of JavaScript (`import js`), so the guest is whatever program it likes in this process. What
 * keeps it here: every permission is revoked before the interpreter starts, so that no file, no network, no process, no
 * environment and no foreign function is within reach, by `import("node:…")` neither; the process has no descriptors but
 * its pipe, whose other end believes nothing (core/provider/slot_conversation.ts, slot_claims.ts); time, CPU time and
 * memory are limited from outside, and SIGKILL ends it after its one task. That `Deno` and most of the platform are gone
 * from the global scope only keeps programs from using them by chance.
 */

import { servePythonSlot } from "../core/provider/python_slot.ts";
import { sealScope } from "../core/seal_scope.ts";
import { revokePermissions } from "./revoke_permissions.ts";

/** A pipe holds no more. */
const READ_BYTES = 64 * 1024;

/** Pyodide comes as scripts, not as modules. */
const KEPT = ["eval"];

/** Serves the provider at the other end of stdin and stdout until it is gone; ends the process. */
export async function runPythonSlot(): Promise<never> {
  revokePermissions();
  // The provider decides when to stop, also when a service manager signals all processes at once.
  for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, () => {});
  const { stdin, stdout, stderr, exit, inspect } = Deno;
  const buffer = new Uint8Array(READ_BYTES);
  const ends = {
    readSync() {
      const length = stdin.readSync(buffer);
      return length === null ? null : buffer.subarray(0, length);
    },
    write(bytes: Uint8Array) {
      for (let at = 0; at < bytes.length;) at += stdout.writeSync(bytes.subarray(at));
    },
  };
  sealScope(globalThis, KEPT);
  try {
    await servePythonSlot(ends, globalThis);
  } catch (error) {
    stderr.writeSync(new TextEncoder().encode(inspect(error)));
    return exit(1);
  }
  return exit(0);
}

// From source it is started alone (see commands/slot.ts).
if (import.meta.main) await runPythonSlot();
