/** What a guest that cannot be suspended may write: it stands in for back-pressure. */

import { failed, type Outcome } from "../outcome.ts";

/** Nothing is taken while such a guest runs, so all of it waits in memory. */
export const MAX_BLIND_OUTPUT_BYTES = 16 * 1024 * 1024;

export class OutputAllowance {
  #left = MAX_BLIND_OUTPUT_BYTES;
  /** How the task ends once its guest has asked for more, whatever the guest makes of that. */
  problem: Outcome | null = null;

  /** Throws, through the guest, when it is too much. */
  take(bytes: number): void {
    this.#left -= bytes;
    if (this.#left >= 0) return;
    const message =
      `output of more than ${MAX_BLIND_OUTPUT_BYTES} bytes needs a browser that can suspend programs`;
    this.problem = failed("limit", "provider", message);
    throw new Error(message);
  }
}
