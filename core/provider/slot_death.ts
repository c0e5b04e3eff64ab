/** How a task ends whose slot died without a known cause. */

import { failed, type Outcome } from "../outcome.ts";

/** With this part of the allowed memory in use when it was last seen, a death is put down to memory (cli.md). */
const MEMORY_DEATH_RATIO = 0.95;

export interface Death {
  /** How the process ended, e.g. `signal SIGKILL`. */
  readonly how: string;
  /** What the process had gained under the task when it was last seen, bytes. */
  readonly gainedBytes: number;
  /** The linear memory that the guest might have, bytes. */
  readonly capBytes: number;
}

/** A provider's `trap` or `memory` means exactly this; those of a guest are its own. */
export function deathOutcome({ how, gainedBytes, capBytes }: Death): Outcome {
  const reason = gainedBytes >= MEMORY_DEATH_RATIO * capBytes ? "memory" : "trap";
  return failed(reason, "provider", `slot died under the task: ${how}`);
}
