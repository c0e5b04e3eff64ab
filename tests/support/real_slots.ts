/** Real slots in real processes, for tests and benches. */

import { slotCommands } from "../../commands/slot_commands.ts";
import { Guard, type SlotGuard } from "../../core/host/guard.ts";
import { createProcessSlotStarter } from "../../core/host/process_slot.ts";
import { silent } from "../../core/log.ts";
import type { Slot, StartSlot } from "../../core/provider/slot.ts";

export interface RealSlots extends AsyncDisposable {
  readonly start: StartSlot;
  readonly guard: Guard;
  /** Process ids of the slots started so far, in order. */
  readonly pids: readonly number[];
}

/** A guard that also notes the processes it is told of. */
export function notingPids(guard: SlotGuard): { readonly pids: number[]; readonly watching: SlotGuard } {
  const pids: number[] = [];
  const watching = {
    watch(pid: number) {
      pids.push(pid);
      return guard.watch(pid);
    },
    unwatch: (pid: number) => guard.unwatch(pid),
  };
  return { pids, watching };
}

/** A guard and a starter; the slots themselves are closed by who starts them, at the latest by the guard. */
export function openRealSlots(): RealSlots {
  const commands = slotCommands();
  const guard = new Guard({ command: commands.guard, logger: silent });
  const { pids, watching } = notingPids(guard);
  const start = createProcessSlotStarter({ command: commands.slot, guard: watching, logger: silent });
  return { start, guard, pids, [Symbol.asyncDispose]: () => guard.close() };
}

/** One slot, for tests that need no more. */
export async function openRealSlot(): Promise<{ slot: Slot; pid: number } & AsyncDisposable> {
  const slots = openRealSlots();
  const slot = await slots.start();
  const dispose = async () => {
    await slot.close();
    await slots[Symbol.asyncDispose]();
  };
  return { slot, pid: slots.pids[0]!, [Symbol.asyncDispose]: dispose };
}

/** The process id of the guard that a process has started. */
export async function guardOf(parent: number): Promise<number> {
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^[0-9]+$/.test(name)) continue;
    try {
      const [command, status] = ["cmdline", "status"].map((file) =>
        Deno.readTextFileSync(`/proc/${name}/${file}`)
      );
      if (command!.endsWith("\0guard\0") && new RegExp(`^PPid:\\s*${parent}$`, "m").test(status!)) {
        return Number(name);
      }
    } catch {
      // That process has ended meanwhile.
    }
  }
  throw new Error(`process ${parent} has no guard`);
}

/** Resolves when the condition holds; rejects after `limitMs`. */
export async function until(condition: () => boolean, limitMs = 1_000): Promise<void> {
  const untilMs = performance.now() + limitMs;
  while (!condition()) {
    if (performance.now() > untilMs) throw new Error(`waited ${limitMs} ms for ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Resolves when a process is gone, at the latest after a second. */
export async function gone(pid: number): Promise<void> {
  await until(() => !isAlive(pid));
}

/** Whether a process exists and is not a zombie. */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s*Z/m.test(Deno.readTextFileSync(`/proc/${pid}/status`));
  } catch {
    return false;
  }
}
