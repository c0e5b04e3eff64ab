/** The flags of `wasimoff submit`. */

import { BROKER_FLAGS, COMMON_FLAGS } from "./common_flags.ts";
import { count, keyValues, text, toggle } from "./flag_kinds.ts";
import { flag } from "./flags.ts";
import { TASK_FLAGS } from "./task_flags.ts";

/** Providers that may be lost under a task before it counts as lost itself. */
const DEFAULT_ATTEMPTS = 3;

const { json, ...TASK } = TASK_FLAGS;

export const SUBMIT_COMMAND_FLAGS = {
  ...TASK,
  priority: flag(toggle, "before all tasks without priority", { default: false }),
  immediate: flag(toggle, "now or not at all", { default: false }),
  require: flag(keyValues, "only on providers with this label", { default: {} }),
  attempts: flag(count(1), "providers to try if any is lost", { default: DEFAULT_ATTEMPTS }),
  job: flag(text, "instead of MODULE: a task file", { placeholder: "FILE", default: null }),
  python: flag(toggle, "MODULE is a script in Python", { default: false }),
  trace: flag(toggle, "where the task was when", { default: false }),
  json,
  ...BROKER_FLAGS,
  ...COMMON_FLAGS,
};
