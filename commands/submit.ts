/** `wasimoff submit`: runs a program on a provider as if it ran here. */

import { defineCommand } from "./command.ts";
import { BROKER_NOTE } from "./common_flags.ts";
import { prepareTask } from "./guest_task.ts";
import { preparePythonTask } from "./python_task.ts";
import { submitJob } from "./submit_job.ts";
import { taskFailureStatus } from "./report_error.ts";
import { runGuest } from "./run_guest.ts";
import { SUBMIT_COMMAND_FLAGS } from "./submit_flags.ts";
import { type SubmitCall, tasksAtBroker } from "./submit_task.ts";
import { TASK_OPERANDS } from "./task_flags.ts";
import { usageError } from "./usage_error.ts";

export const command = defineCommand({
  name: "submit",
  summary: "run a program on a provider as if it ran here",
  operands: { ...TASK_OPERANDS, min: 0 },
  examples: [
    "wasimoff submit task.wasm -- --size 12 < in.txt > out.txt",
    "wasimoff submit --dir data::/data --artifact out -o results sort.wasm -- /data",
  ],
  flags: SUBMIT_COMMAND_FLAGS,
  notes: [BROKER_NOTE],
  failureStatus: taskFailureStatus,
  run: submit,
});

async function submit(call: SubmitCall): Promise<number> {
  if (call.options.job !== null && call.options.python) {
    throw usageError("--python is for a script: give it, or a task file by --job");
  }
  if (call.options.job !== null) return await submitJob(call, call.options.job);
  if (call.operands.length === 0) throw usageError(`an operand is missing: give ${TASK_OPERANDS.usage}`);
  const run = await tasksAtBroker(call);
  const prepare = call.options.python ? preparePythonTask : prepareTask;
  return await runGuest({ ...call, broker: true }, { prepare, run });
}
