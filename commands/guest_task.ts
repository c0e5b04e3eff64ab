/** From the command line of `submit` and `run` to a task that can be handed over. */

import type { Logger } from "../core/log.ts";
import type { Outcome } from "../core/outcome.ts";
import type { OptionsOf } from "./flags.ts";
import { guestDirectories, type GuestDirectory } from "./guest_directories.ts";
import { guestEnvironment, readEnvFile } from "./guest_environment.ts";
import { type GuestInput, INLINE_INPUT_BYTES, openGuestInput, ownInput } from "./guest_input.ts";
import { type ModuleOperand, readModuleOperand } from "./module_operand.ts";
import { requestRoom } from "./request_room.ts";
import type { TASK_FLAGS } from "./task_flags.ts";

export interface GuestTask {
  readonly module: ModuleOperand["module"];
  /** argv, with argv[0]. */
  readonly args: readonly string[];
  /** `KEY=value` each. */
  readonly env: readonly string[];
  readonly directories: readonly GuestDirectory[];
  /** Paths and patterns, as the guest would write them. */
  readonly artifacts: readonly string[];
}

export interface GuestCall {
  readonly options: OptionsOf<typeof TASK_FLAGS>;
  readonly operands: readonly string[];
  readonly guestArguments: readonly string[];
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Whether there is a broker: it may know the module by name, and requests to it are bounded. */
  readonly broker: boolean;
}

export interface PreparedTask<T> {
  readonly task: T;
  readonly input: GuestInput;
}

/** Reads everything that the command line names; an outcome when the module can never run. */
export async function prepareTask(call: GuestCall): Promise<PreparedTask<GuestTask> | Outcome> {
  const operand = call.operands[0]!;
  const module = await readModuleOperand(operand, { stdin: () => Deno.stdin.readable, broker: call.broker });
  if ("reason" in module) return module;
  const task = await describeTask(call, module);
  const room = call.broker ? requestRoom(task.args, task.env) : INLINE_INPUT_BYTES;
  const choice = call.options.stdin ?? (operand === "-" ? "none" : null);
  return { task, input: await openGuestInput(choice, ownInput, Math.min(room, INLINE_INPUT_BYTES)) };
}

async function describeTask(
  { options, guestArguments }: GuestCall,
  module: ModuleOperand,
): Promise<GuestTask> {
  const lines = options.envFile === null ? [] : await readEnvFile(options.envFile);
  return {
    module: module.module,
    args: [module.name, ...guestArguments],
    env: guestEnvironment(lines, options.env, (name) => Deno.env.get(name)),
    directories: await guestDirectories(options),
    artifacts: options.artifact,
  };
}
