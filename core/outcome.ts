/** How a task ended: the vocabulary of cli.md's exit codes and of `--json`. */

export const REASONS = [
  "exit",
  "timeout",
  "memory",
  "trap",
  "cancelled",
  "lost",
  "rejected",
  "limit",
] as const;
export type Reason = typeof REASONS[number];

export const ORIGINS = ["guest", "provider", "broker", "client"] as const;
export type Origin = typeof ORIGINS[number];

/** The end of a task or of one attempt at it. Every acknowledged task has exactly one. */
export interface Outcome {
  readonly reason: Reason;
  /** Who decided. */
  readonly origin: Origin;
  /** The exit status of `submit` and `run`: the guest's own for `exit`, else as `STATUS` has it. */
  readonly status: number;
  /** One line for people, empty for `exit`. */
  readonly message: string;
}

/** Exit status of every reason but `exit` (cli.md). */
export const STATUS: Readonly<Record<Exclude<Reason, "exit">, number>> = {
  timeout: 124,
  memory: 137,
  trap: 134,
  cancelled: 143,
  lost: 125,
  rejected: 125,
  limit: 125,
};

/** `rejected`, because the module is not valid or not supported. */
export const STATUS_INVALID_MODULE = 126;
/** `rejected`, because the module or a ref was not found. */
export const STATUS_NOT_FOUND = 127;

/** An outcome that is not the guest's own exit. */
export function failed(
  reason: Exclude<Reason, "exit">,
  origin: Origin,
  message: string,
  status: number = STATUS[reason],
): Outcome {
  return { reason, origin, status, message };
}

/** The guest's own exit with its status. */
export function exited(status: number): Outcome {
  return { reason: "exit", origin: "guest", status, message: "" };
}
