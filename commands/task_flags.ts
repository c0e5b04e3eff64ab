/** The flags that describe a task, for `submit` and `run`. */

import { limit, repeated, size, text, time, toggle } from "./flag_kinds.ts";
import { flag } from "./flags.ts";

/** Operands of both. */
export const TASK_OPERANDS = { usage: "MODULE [-- ARGS...]", min: 1, max: 1, guestArguments: true } as const;

/** Flags that mean something wherever the task runs. */
export const TASK_FLAGS = {
  env: flag(repeated, "guest's variable; K: as it is here", {
    short: "e",
    placeholder: "K=V",
    default: [],
  }),
  envFile: flag(text, "variables of the guest, one a line", { placeholder: "F", default: null }),
  dir: flag(repeated, "guest gets a copy; HOST::GUEST::ro", { placeholder: "HOST[::GUEST]", default: [] }),
  rootfs: flag(text, "the guest's / starts with this", { placeholder: "ZIP", default: null }),
  artifact: flag(repeated, "path that comes back; others do not", { placeholder: "PATH", default: [] }),
  output: flag(text, "where artifacts go", { short: "o", placeholder: "FILE.zip|DIR", default: null }),
  stdin: flag(text, "input; ours when it is no terminal", { placeholder: "F|-|none", default: null }),
  timeout: flag(limit, "longest run of the guest", { default: null }),
  deadline: flag(time, "2026-12-31T18:00:00Z or from now +1h", { default: null }),
  cpuTime: flag(limit, "most CPU time of the guest", { default: null }),
  memory: flag(size, "memory of the guest", { default: null }),
  disk: flag(size, "most bytes of its files", { default: null }),
  maxOutput: flag(size, "most bytes of its output", { default: null }),
  deterministic: flag(toggle, "the same run everywhere", { default: false }),
  json: flag(toggle, "output and result as JSON lines", { default: false }),
};
