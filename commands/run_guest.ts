/** What `submit` and `run` have in common: everything around the place where the guest runs. */

import { WasimoffError } from "../core/errors.ts";
import type { Logger } from "../core/log.ts";
import { failed, type Outcome, STATUS } from "../core/outcome.ts";
import { ArtifactOutput, checkArtifactFlags } from "./artifact_output.ts";
import type { OptionsOf } from "./flags.ts";
import { guestDirectories, type GuestDirectory } from "./guest_directories.ts";
import { guestEnvironment, readEnvFile } from "./guest_environment.ts";
import { type GuestInput, openGuestInput, ownInput } from "./guest_input.ts";
import { type GuestOutput, plainOutput } from "./guest_output.ts";
import { JsonOutput } from "./json_output.ts";
import { type ModuleOperand, readModuleOperand } from "./module_operand.ts";
import { reportCauses } from "./report_error.ts";
import { reportTaskEnd, type TaskEnd, unstarted } from "./task_end.ts";
import type { TASK_FLAGS } from "./task_flags.ts";
import { usageError } from "./usage_error.ts";

export interface GuestTask {
  readonly module: ModuleOperand["module"];
  /** argv, with argv[0]. */
  readonly args: readonly string[];
  /** `KEY=value` each. */
  readonly env: readonly string[];
  readonly directories: readonly GuestDirectory[];
  /** Paths in the first directory. */
  readonly artifacts: readonly string[];
}

export interface GuestIo extends GuestOutput {
  readonly stdin: GuestInput;
  /** null when no artifacts were asked for. */
  readonly artifacts: ArtifactOutput | null;
}

/** Runs the task somewhere. Aborting the signal cancels it; what it rejects with becomes an outcome. */
export type RunTask = (task: GuestTask, io: GuestIo, signal: AbortSignal) => Promise<TaskEnd>;

export interface GuestCall {
  readonly options: OptionsOf<typeof TASK_FLAGS>;
  readonly operands: readonly string[];
  readonly guestArguments: readonly string[];
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Whether there is a broker that may know the module by name. */
  readonly broker: boolean;
}

/** Prepares the task, runs it, brings its artifacts home and resolves with the exit status. */
export async function runGuest(call: GuestCall, run: RunTask): Promise<number> {
  const { options, log, signal } = call;
  checkArtifactFlags(options);
  if (call.operands[0] === "-" && options.stdin === "-") {
    throw usageError(
      'the module and "--stdin -" cannot both come from our input: name a file for one of them',
    );
  }
  const closed = new AbortController();
  const onClosed = (reason: WasimoffError) => closed.abort(reason);
  const json = options.json ? new JsonOutput({ stdout: Deno.stdout, onClosed }) : null;
  const output = json ?? plainOutput({ stdout: Deno.stdout, stderr: Deno.stderr, onClosed });
  const end = outputChecked(
    await prepareAndRun(call, output, AbortSignal.any([signal, closed.signal]), run),
    closed.signal,
  );
  // Nobody reads the last line when the reader of the lines before has gone.
  if (json !== null && !closed.signal.aborted) await json.result(end);
  return reportTaskEnd(end, log, signal);
}

/** A reader who leaves cancels the task; output that cannot be written is a failure of ours. */
function outputChecked(end: TaskEnd, closed: AbortSignal): TaskEnd {
  const broken = closed.aborted && WasimoffError.from(closed.reason).code !== "canceled";
  return broken ? { ...end, outcome: outcomeOf(closed.reason) } : end;
}

async function prepareAndRun(
  call: GuestCall,
  output: GuestOutput,
  signal: AbortSignal,
  run: RunTask,
): Promise<TaskEnd> {
  let running = false;
  try {
    const operand = call.operands[0]!;
    const stdin = () => Deno.stdin.readable;
    const module = await readModuleOperand(operand, { stdin, broker: call.broker });
    if ("reason" in module) return unstarted(module);
    const task = await describeTask(call, module);
    await using input = await openGuestInput(
      call.options.stdin ?? (operand === "-" ? "none" : null),
      ownInput,
    );
    const artifacts = artifactOutput(call);
    running = true;
    const end = await run(task, { stdin: input, ...pick(output), artifacts }, signal);
    if (artifacts !== null && end.outcome.reason === "exit" && !await artifacts.save()) {
      call.log.warn(`the task brought nothing back for "${call.options.output}"`);
    }
    return end;
  } catch (error) {
    // What is wrong before the task is handed over was written wrongly here.
    if (!running && error instanceof WasimoffError && error.code === "invalid_argument") throw error;
    reportCauses(error, call.log);
    return unstarted(outcomeOf(error));
  }
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

function artifactOutput({ options, log }: GuestCall): ArtifactOutput | null {
  if (options.output === null) return null;
  return new ArtifactOutput(options.output, (name, target) => {
    log.warn(`left out the link "${name}": "${target}" leads out of the directory`);
  });
}

const pick = ({ stdout, stderr }: GuestOutput): GuestOutput => ({ stdout, stderr });

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
