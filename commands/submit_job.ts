/** `wasimoff submit --job`: runs the tasks of a file of the existing clients. */

import type { TaskResult } from "../core/client/task_request.ts";
import { WasimoffError } from "../core/errors.ts";
import { Logger } from "../core/log.ts";
import { CollectingSink } from "../core/provider/collecting_sink.ts";
import { checkArtifactFlags, checkArtifactTarget } from "./artifact_output.ts";
import { fixedInput } from "./guest_input.ts";
import { plainOutput } from "./guest_output.ts";
import { interruptStatus } from "./interrupt.ts";
import { type JobTask, readJobFile } from "./job_file.ts";
import { JsonOutput } from "./json_output.ts";
import { artifactOutput, outcomeOf, runGuest, saveArtifacts } from "./run_guest.ts";
import { type RunSubmitTask, type SubmitCall, tasksAtBroker } from "./submit_task.ts";
import { reportTaskEnd, reportTrace } from "./task_end.ts";
import { usageError } from "./usage_error.ts";

/** Tasks under way at once; each may hold its output until it is its turn. */
const MAX_TASKS_AT_ONCE = 8;
/** Of stdout and of stderr of one task among several. */
const MAX_HELD_BYTES = 16 * 1024 * 1024;
/** The exit status for more failed tasks than have a status of their own. */
const MANY_FAILED_STATUS = 101;

/** What the file says already. */
const SAID_BY_FILE = ["env", "envFile", "dir", "rootfs", "artifact", "stdin"] as const;

export async function submitJob(call: SubmitCall, path: string): Promise<number> {
  if (call.operands.length + call.guestArguments.length > 0) {
    throw usageError("--job names the module and its arguments: leave yours out");
  }
  const said = SAID_BY_FILE.find((option) => call.sources[option] === "flag");
  if (said !== undefined) {
    throw usageError(`--job says what --${said === "envFile" ? "env-file" : said} would say`);
  }
  const tasks = await readJobFile(path);
  const run = await tasksAtBroker(call);
  const [first] = tasks;
  if (first !== undefined && tasks.length === 1) {
    const options = { ...call.options, artifact: first.artifacts };
    const prepare = () => Promise.resolve({ task: first, input: fixedInput(first.stdin) });
    return await runGuest({ ...call, options, broker: true }, { prepare, run });
  }
  return await runSeveral(call, tasks, run);
}

/** A task among several, whose output waits for its turn. */
interface HeldTask {
  readonly result: TaskResult;
  readonly stdout: CollectingSink;
  readonly stderr: CollectingSink;
}

/** Several at a time; told in the order of the file, so that no more than these are kept. */
async function runSeveral(call: SubmitCall, tasks: readonly JobTask[], run: RunSubmitTask): Promise<number> {
  const { output } = call.options;
  checkArtifactFlags({ artifact: tasks.flatMap(({ artifacts }) => artifacts), output });
  if (output?.endsWith(".zip")) {
    throw usageError(`-o "${output}" holds one task: name a directory, where each gets its own`);
  }
  if (output !== null) await checkArtifactTarget(output);
  const unread = new AbortController();
  const signal = AbortSignal.any([call.signal, unread.signal]);
  const held: Promise<HeldTask>[] = [];
  let failed = 0;
  for (let index = 0; index < tasks.length && !signal.aborted; index++) {
    while (held.length < Math.min(tasks.length, index + MAX_TASKS_AT_ONCE)) {
      const target = output === null ? null : `${output}/${held.length + 1}`;
      const log = numbered(call.log, held.length + 1);
      held.push(runHeld({ task: tasks[held.length]!, target, run, log }, signal));
    }
    const ended = await held[index]!;
    if (ended.result.outcome.status !== 0) failed++;
    await tell(ended, { number: index + 1, call, onClosed: (reason) => unread.abort(reason) });
  }
  await Promise.all(held);
  if (call.signal.aborted) return interruptStatus(call.signal.reason);
  if (unread.signal.aborted) return outcomeOf(unread.signal.reason).status;
  return Math.min(failed, MANY_FAILED_STATUS);
}

interface HeldRun {
  readonly task: JobTask;
  /** Where its artifacts go. */
  readonly target: string | null;
  readonly run: RunSubmitTask;
  readonly log: Logger;
}

async function runHeld({ task, target, run, log }: HeldRun, signal: AbortSignal): Promise<HeldTask> {
  const wanted = target !== null && task.artifacts.length > 0;
  const outputs = {
    stdout: new CollectingSink(MAX_HELD_BYTES),
    stderr: new CollectingSink(MAX_HELD_BYTES),
    artifacts: wanted ? artifactOutput(target, log) : null,
  };
  const end = await run(task, { stdin: fixedInput(task.stdin), ...outputs }, signal);
  return { ...outputs, result: await saveArtifacts(end, outputs.artifacts, { target, log }) };
}

/** Says of which task it speaks. */
function numbered(log: Logger, number: number): Logger {
  return new Logger((level, message, fields) =>
    log[level](`task ${number}: ${message}`, { ...fields, number })
  );
}

interface Telling {
  /** From 1. */
  readonly number: number;
  readonly call: SubmitCall;
  readonly onClosed: (reason: WasimoffError) => void;
}

/** Writes what a task has said, and how it ended. */
async function tell(
  { result, stdout, stderr }: HeldTask,
  { number, call: { options, log }, onClosed }: Telling,
): Promise<void> {
  const json = options.json ? new JsonOutput({ stdout: Deno.stdout, onClosed }) : null;
  const output = json ?? plainOutput({ stdout: Deno.stdout, stderr: Deno.stderr, onClosed });
  const about = numbered(log, number);
  try {
    for (const name of ["stdout", "stderr"] as const) {
      const bytes = { stdout, stderr }[name].bytes();
      if (bytes.length > 0) await output[name].write(bytes);
      output[name].end();
    }
    await json?.result(result, number);
  } catch (error) {
    about.error(WasimoffError.from(error).message);
  }
  if (json === null) reportTrace(result, about);
  reportTaskEnd(result, about);
}
