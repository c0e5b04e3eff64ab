/** Starts Python slots: processes of our own that get the interpreter through their pipe. */

import { lockFor, packageName, type PyodideLock } from "../provider/python_lock.ts";
import { CLOUDPICKLE } from "../provider/python_interpreter.ts";
import type { StartSlot } from "../provider/slot.ts";
import type { SuppliedFile } from "../provider/slot_supply.ts";
import { createProcessSlotStarter, type ProcessSlotOptions } from "./process_slot.ts";
import { readPyodide } from "./pyodide_files.ts";
import { readWheelDirectory } from "./python_wheels.ts";

/** An interpreter starts in some 2 s; on a machine that is busy with tasks it may take several times that. */
const START_TIMEOUT_MS = 60_000;

export interface PythonSlotsOptions extends Omit<ProcessSlotOptions, "slot"> {
  /** A directory; null for none. */
  readonly wheels: string | null;
}

export interface PythonSlots {
  readonly start: StartSlot;
  /** Of Pyodide. */
  readonly version: string;
}

/** Reads the interpreter once. Rejects with `unavailable` without it, with `failed_precondition` without the wheels. */
export async function openPythonSlots(options: PythonSlotsOptions): Promise<PythonSlots> {
  const { wheels: directory, logger } = options;
  const { version, files, lock: whole } = await readPyodide();
  const found = directory === null ? [] : await readWheelDirectory(directory);
  const { lock, unfit } = lockFor(whole, found.map(({ ref }) => ref));
  if (unfit.length > 0) logger.warn("wheels that do not fit this python are left out", { unfit });
  const boot = [...files, new TextEncoder().encode(JSON.stringify(lock))];
  const cloudpickle = wheelOf(CLOUDPICKLE, lock, found);
  if (cloudpickle === undefined) {
    logger.warn("no wheel of cloudpickle: pickled calls and results that plain pickle cannot hold will fail");
  } else boot.push(await cloudpickle.load());
  const slot = { boot, wheels: found, startTimeoutMs: START_TIMEOUT_MS, maxTasks: 1 };
  return { version, start: createProcessSlotStarter({ ...options, slot }) };
}

function wheelOf(
  name: string,
  { packages }: PyodideLock,
  found: readonly SuppliedFile[],
): SuppliedFile | undefined {
  return found.find(({ ref }) => ref === packages[packageName(name)]?.file_name);
}
