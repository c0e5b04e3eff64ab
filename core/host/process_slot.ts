/** Starts slots as child processes of our own program. */

import type { Logger } from "../log.ts";
import { WasimoffError } from "../errors.ts";
import { PipedSlot, type PipedSlotOptions } from "../provider/piped_slot.ts";
import type { StartSlot } from "../provider/slot.ts";
import type { SlotGuard } from "./guard.ts";
import type { ChildCommand } from "./self_command.ts";
import { openUsageReader, type ReadUsage } from "./process_usage.ts";
import { SlotChild } from "./slot_child.ts";

export interface ProcessSlotOptions {
  /** Runs `runSlot` of commands/slot.ts. */
  readonly command: ChildCommand;
  readonly guard: SlotGuard;
  readonly logger: Logger;
  /** For a Python slot. */
  readonly slot?: Omit<PipedSlotOptions, "signal">;
}

/** Each slot is a process that the guard knows before any guest runs in it. */
export function createProcessSlotStarter(
  { command, guard, logger, slot = {} }: ProcessSlotOptions,
): StartSlot {
  const readUsage = openUsageReader();
  return async (signal) => {
    signal?.throwIfAborted();
    const child = spawn(command, readUsage);
    const { pid } = child;
    void Promise.all([child.exited, child.lastWords]).then(([how, said]) => {
      guard.unwatch(pid);
      logger.debug("slot ended", { pid, how, said });
    });
    await guard.watch(pid);
    return await PipedSlot.start(child, { ...slot, signal });
  };
}

function spawn(command: ChildCommand, readUsage: ReadUsage): SlotChild {
  try {
    return new SlotChild(command, readUsage);
  } catch (error) {
    throw new WasimoffError("unavailable", "cannot start a slot", { cause: error });
  }
}
