/** What `submit` and `run` have in common: everything around the place where the guest runs. */

import type { TaskResult } from "../core/client/task_request.ts";
import { WasimoffError } from "../core/errors.ts";
import type { Logger } from "../core/log.ts";
import { failed, type Outcome, STATUS } from "../core/outcome.ts";
import { ArtifactOutput, checkArtifactFlags, checkArtifactTarget } from "./artifact_output.ts";
import type { GuestInput } from "./guest_input.ts";
import { type GuestOutput, plainOutput } from "./guest_output.ts";
import type { GuestCall, PreparedTask } from "./guest_task.ts";
import { JsonOutput } from "./json_output.ts";
import { reportCauses } from "./report_error.ts";
import { reportTaskEnd, reportTrace, unstarted, withSignalStatus } from "./task_end.ts";
import { usageError } from "./usage_error.ts";

export interface GuestIo extends GuestOutput {
  readonly stdin: GuestInput;
  /** null when no artifacts were asked for. */
  readonly artifacts: ArtifactOutput | null;
}

/** What is done with a task, whatever it consists of. */
export interface TaskSteps<T> {
  /** Reads all that the task needs; an outcome when it can never run. */
  readonly prepare: (call: GuestCall) => Promise<PreparedTask<T> | Outcome>;
  /** Runs the task somewhere. Aborting the signal cancels it; what it rejects with becomes an outcome. */
  readonly run: (task: T, io: GuestIo, signal: AbortSignal) => Promise<TaskResult>;
}

/** Prepares the task, runs it, brings its artifacts home and resolves with the exit status. */
export async function runGuest<T>(call: GuestCall, { prepare, run }: TaskSteps<T>): Promise<number> {
  const { options, log, signal } = call;
  checkArtifactFlags(options);
  if (options.output !== null) await checkArtifactTarget(options.output);
  if (call.operands[0] === "-" && options.stdin === "-") {
    throw usageError(
      'the module and "--stdin -" cannot both come from our input: name a file for one of them',
    );
  }
  const closed = new AbortController();
  const onClosed = (reason: WasimoffError) => closed.abort(reason);
  const json = options.json ? new JsonOutput({ stdout: Deno.stdout, onClosed }) : null;
  const output = json ?? plainOutput({ stdout: Deno.stdout, stderr: Deno.stderr, onClosed });
  const either = AbortSignal.any([signal, closed.signal]);
  const prepared = await unlessAborted(() => prepare(call), call, either);
  const ended = "reason" in prepared
    ? unstarted(prepared)
    : await runPrepared({ call, prepared, output, run }, either);
  const end = withSignalStatus(outputChecked(ended, closed.signal), signal);
  // Nobody reads the last line when the reader of the lines before has gone.
  if (json !== null && !closed.signal.aborted) await json.result(end);
  if (json === null) reportTrace(end, log);
  reportTaskEnd(end, log);
  return end.outcome.status;
}

/** A reader who leaves cancels the task; output that cannot be written is a failure of ours. */
function outputChecked(end: TaskResult, closed: AbortSignal): TaskResult {
  const broken = closed.aborted && WasimoffError.from(closed.reason).code !== "canceled";
  return broken ? { ...end, outcome: outcomeOf(closed.reason) } : end;
}

/** The signal leaves a wait for a pipe of ours behind, which nothing else ends. */
async function unlessAborted<T>(
  prepare: () => Promise<PreparedTask<T> | Outcome>,
  call: GuestCall,
  signal: AbortSignal,
): Promise<PreparedTask<T> | Outcome> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener("abort", onAbort);
  try {
    signal.throwIfAborted();
    return await Promise.race([prepare(), aborted]);
  } catch (error) {
    // What is wrong before the task is handed over was written wrongly here.
    if (error instanceof WasimoffError && error.code === "invalid_argument") throw error;
    reportCauses(error, call.log);
    return outcomeOf(error);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

interface PreparedRun<T> {
  readonly call: GuestCall;
  readonly prepared: PreparedTask<T>;
  readonly output: GuestOutput;
  readonly run: TaskSteps<T>["run"];
}

async function runPrepared<T>(
  { call, prepared, output, run }: PreparedRun<T>,
  signal: AbortSignal,
): Promise<TaskResult> {
  await using input = prepared.input;
  const { stdout, stderr } = output;
  const { output: target } = call.options;
  const artifacts = target === null ? null : artifactOutput(target, call.log);
  const io = { stdin: input, stdout, stderr, artifacts };
  const end = await run(prepared.task, io, signal).catch((error) => {
    reportCauses(error, call.log);
    return unstarted(outcomeOf(error));
  });
  return await saveArtifacts(end, artifacts, { target, log: call.log });
}

/** Keeps what came, also when something else that was asked for is missing; an end of ours when that fails. */
export async function saveArtifacts(
  end: TaskResult,
  artifacts: ArtifactOutput | null,
  { target, log }: { readonly target: string | null; readonly log: Logger },
): Promise<TaskResult> {
  const exited = end.outcome.reason === "exit";
  try {
    if (artifacts !== null && !await artifacts.save() && exited) {
      log.warn(`the task brought nothing back for "${target}"`);
    }
    return end;
  } catch (error) {
    reportCauses(error, log);
    if (exited) return { ...end, outcome: outcomeOf(error) };
    log.error(outcomeOf(error).message);
    return end;
  }
}

/** `-o`, which says what it leaves out. */
export function artifactOutput(output: string, log: Logger): ArtifactOutput {
  return new ArtifactOutput(output, (name, target) => {
    log.warn(`left out the link "${name}": "${target}" leads out of the directory`);
  });
}

/** A failure of ours as the end of the task. */
export function outcomeOf(thrown: unknown): Outcome {
  const { code, message } = WasimoffError.from(thrown);
  switch (code) {
    case "canceled":
      return failed("cancelled", "client", message);
    case "deadline_exceeded":
      return failed("timeout", "client", message);
    case "out_of_range":
      return failed("limit", "client", message);
    case "unavailable":
    case "aborted":
    case "data_loss":
    case "internal":
    case "unknown":
      return failed("lost", "client", message);
    default:
      return failed("rejected", "client", message, STATUS.rejected);
  }
}
