/** Real Python slots in real processes, for tests. */

import { slotCommands } from "../../commands/slot_commands.ts";
import { Guard } from "../../core/host/guard.ts";
import { openPythonSlots } from "../../core/host/python_slots.ts";
import { silent } from "../../core/log.ts";
import type { PythonKind } from "../../core/python_run.ts";
import type { StartSlot } from "../../core/provider/slot.ts";
import { collectingIo, CollectingSink, fileOf, guestTask } from "./slot_tasks.ts";
import { notingPids } from "./real_slots.ts";

const MIB = 1024 * 1024;

export interface RealPython extends AsyncDisposable {
  readonly start: StartSlot;
  /** Process ids of the slots started so far, in order. */
  readonly pids: readonly number[];
}

/** A guard and a starter; `wheels` is a directory. */
export async function openRealPython(wheels: string | null = null): Promise<RealPython> {
  const commands = slotCommands();
  const guard = new Guard({ command: commands.guard, logger: silent });
  const { pids, watching } = notingPids(guard);
  const parts = { command: commands.pythonSlot, guard: watching, logger: silent, wheels };
  try {
    const { start } = await openPythonSlots(parts);
    return { start, pids, [Symbol.asyncDispose]: () => guard.close() };
  } catch (error) {
    await guard.close();
    throw error;
  }
}

/** Generous enough for an interpreter. */
export const PYTHON_LIMITS = { memoryBytes: 128 * MIB, artifactBytes: MIB };

export type PythonTaskOptions = Parameters<typeof guestTask>[1] & {
  readonly kind?: PythonKind;
  readonly packages?: readonly string[];
};

/** A task with a script, or a pickle. */
export function pythonTask(program: string | Uint8Array, options: PythonTaskOptions = {}) {
  const { kind = "script", packages = [], limits, ...rest } = options;
  const bytes = typeof program === "string" ? new TextEncoder().encode(program) : program;
  const task = guestTask([], { ...rest, limits: { ...PYTHON_LIMITS, ...limits } });
  return {
    ...task,
    module: fileOf(bytes),
    args: options.args ?? ["script.py"],
    python: { kind, packages },
  };
}

/** Runs one program in a slot of its own; collects everything. */
export async function runPython(
  { start }: RealPython,
  program: string | Uint8Array,
  { stdin = null, ...options }: PythonTaskOptions & { readonly stdin?: Parameters<typeof collectingIo>[0] } =
    {},
) {
  const slot = await start();
  try {
    const io = { ...collectingIo(stdin), result: new CollectingSink() };
    const result = await slot.run(pythonTask(program, options), io, new AbortController().signal);
    return { ...result, ...io };
  } finally {
    await slot.close();
  }
}
