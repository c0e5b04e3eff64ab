/** From the command line of `submit --python` to a task that can be handed over. */

import { WasimoffError } from "../core/errors.ts";
import { failed, type Outcome, STATUS_NOT_FOUND } from "../core/outcome.ts";
import { guestDirectories } from "./guest_directories.ts";
import { guestEnvironment, readEnvFile } from "./guest_environment.ts";
import { INLINE_INPUT_BYTES, openGuestInput, ownInput } from "./guest_input.ts";
import type { GuestCall, PreparedTask } from "./guest_task.ts";
import { readStream } from "./module_operand.ts";
import { requestRoom } from "./request_room.ts";
import type { SubmitTask } from "./submit_task.ts";
import { usageError } from "./usage_error.ts";

/** Where Python programs find a rootfs: their `/` is the interpreter's (wasimoff-v1 6.4). */
const ROOTFS_PATH = "/mnt";

/** Reads everything that the command line names; an outcome when the script cannot be read. */
export async function preparePythonTask(call: GuestCall): Promise<PreparedTask<SubmitTask> | Outcome> {
  const { operands, options, guestArguments } = call;
  const operand = operands[0]!;
  if (options.deterministic) throw usageError("--deterministic is not for Python: leave it out");
  if (options.disk !== null) {
    throw usageError("--disk is not for Python, which keeps files in memory: give --memory instead");
  }
  const bytes = await readScript(operand);
  if ("reason" in bytes) return bytes;
  const lines = options.envFile === null ? [] : await readEnvFile(options.envFile);
  const directories = await guestDirectories(options);
  const task: SubmitTask = {
    module: { bytes },
    python: { kind: "script", packages: [] },
    args: [operand.split("/").at(-1)!, ...guestArguments],
    env: guestEnvironment(lines, options.env, (name) => Deno.env.get(name)),
    directories: directories.filter(({ zip }) => zip !== null).map((directory) =>
      directory.guest === "/" ? { ...directory, guest: ROOTFS_PATH } : directory
    ),
    artifacts: options.artifact,
  };
  const room = Math.min(requestRoom(task.args, task.env), INLINE_INPUT_BYTES);
  const choice = options.stdin ?? (operand === "-" ? "none" : null);
  return { task, input: await openGuestInput(choice, ownInput, room) };
}

async function readScript(operand: string): Promise<Uint8Array | Outcome> {
  try {
    return operand === "-" ? await readStream(Deno.stdin.readable) : await Deno.readFile(operand);
  } catch (error) {
    const message = `cannot read script "${operand}": ${WasimoffError.from(error).message}`;
    return failed("rejected", "client", message, STATUS_NOT_FOUND);
  }
}
