/** How this program starts its own slots and their guard. */

import { type ChildCommand, selfCommand } from "../core/host/self_command.ts";

/** Slots get no permission at all; the guard may only kill. */
export function slotCommands(): Readonly<Record<"slot" | "pythonSlot" | "guard", ChildCommand>> {
  return {
    slot: selfCommand("slot", import.meta.resolve("./slot.ts")),
    pythonSlot: selfCommand("python-slot", import.meta.resolve("./python_slot.ts")),
    guard: selfCommand("guard", import.meta.resolve("./guard.ts"), ["--allow-run"]),
  };
}
