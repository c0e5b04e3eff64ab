/** The first SIGINT or SIGTERM as the reason of the root signal, and what status it leads to. */

import { WasimoffError } from "../core/errors.ts";

/** Exit statuses as shells give them: 128 and the number of the signal. */
export const INTERRUPT_STATUS = { SIGINT: 130, SIGTERM: 143 } as const;

export type Interrupt = keyof typeof INTERRUPT_STATUS;

/** The abort reason of the root signal. */
export function interrupted(by: Interrupt): WasimoffError {
  return new WasimoffError("canceled", "interrupted", { cause: by });
}

/** The status of a command that ended because of `reason`: 143 after SIGTERM, else 130. */
export function interruptStatus(reason: unknown): number {
  return reason instanceof WasimoffError && reason.cause === "SIGTERM"
    ? INTERRUPT_STATUS.SIGTERM
    : INTERRUPT_STATUS.SIGINT;
}
