/** The flags of `wasimoff provider`. */

import { BROKER_FLAGS, COMMON_FLAGS } from "./common_flags.ts";
import { count, keyValues, limit, size, text, toggle } from "./flag_kinds.ts";
import { flag } from "./flags.ts";

/** What one task may use at most, unless the provider is told otherwise. */
const DEFAULT_TASK_MEMORY_BYTES = 512 * 1024 * 1024;
const DEFAULT_TASK_DISK_BYTES = 1024 ** 3;
const DEFAULT_TASK_TIMEOUT_MS = 10 * 60_000;

export const PROVIDER_COMMAND_FLAGS = {
  jobs: flag(count(1), "tasks at once [one a processor]", { short: "j", default: null }),
  name: flag(text, "how the broker lists us [host name]", { placeholder: "N", default: null }),
  label: flag(keyValues, "what --require may ask for", { default: {} }),
  storage: flag(text, "where files are cached", { placeholder: ":memory:|DIR", default: ":memory:" }),
  taskMemory: flag(size, "most memory of a task", { default: DEFAULT_TASK_MEMORY_BYTES }),
  taskDisk: flag(size, "most bytes of a task's files", { default: DEFAULT_TASK_DISK_BYTES }),
  taskTimeout: flag(limit, "longest run of a task", { default: DEFAULT_TASK_TIMEOUT_MS }),
  python: flag(toggle, "take tasks in Python, too", { default: false }),
  wheels: flag(text, "packages for --python", { placeholder: "DIR", default: null }),
  once: flag(toggle, "leave after one task", { default: false }),
  ...BROKER_FLAGS,
  ...COMMON_FLAGS,
};
