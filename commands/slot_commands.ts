/** How this program starts its own slots and their guard. */

import { type ChildCommand, selfCommand } from "../core/host/self_command.ts";

/** Slots get no permission at all; the guard may only kill. */
export function slotCommands(): { readonly slot: ChildCommand; readonly guard: ChildCommand } {
  const main = import.meta.resolve("../main.ts");
  return { slot: selfCommand("slot", main), guard: selfCommand("guard", main, ["--allow-run"]) };
}
