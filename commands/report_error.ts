/** The end of a command by an error: one line for people, and the exit status. */

import { exitCode, WasimoffError } from "../core/errors.ts";
import type { Logger } from "../core/log.ts";
import { STATUS } from "../core/outcome.ts";
import { interruptStatus } from "./interrupt.ts";

/** Exit status of wrong usage, for every command. */
const USAGE_STATUS = exitCode("invalid_argument");

/** Causes shown at most, in case they form a ring. */
const MAX_CAUSES = 8;

/** Says what went wrong, and for those who listen to details also why. */
export function reportError(thrown: unknown, log: Logger): void {
  log.error(WasimoffError.from(thrown).message);
  reportCauses(thrown, log);
}

/** Says why, one line for each cause. */
export function reportCauses(thrown: unknown, log: Logger): void {
  let cause: unknown = WasimoffError.from(thrown).cause;
  for (let shown = 0; cause !== undefined && shown < MAX_CAUSES; shown++) {
    log.debug(`caused by: ${cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause)}`);
    cause = cause instanceof Error ? cause.cause : undefined;
  }
}

/** The exit status of a command that failed (cli.md: "Other commands"). */
export function failureStatus(thrown: unknown): number {
  const error = WasimoffError.from(thrown);
  return error.code === "canceled" ? interruptStatus(error) : exitCode(error.code);
}

/** The exit status of `submit` and `run` when there is no outcome: 2 for wrong usage, 125 for our failures. */
export function taskFailureStatus(thrown: unknown): number {
  const error = WasimoffError.from(thrown);
  if (error.code === "canceled") return interruptStatus(error);
  return error.code === "invalid_argument" ? USAGE_STATUS : STATUS.lost;
}
