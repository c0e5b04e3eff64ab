/** One task of `submit`, from what it consists of to its end at the broker. */

import type { TaskRequest, TaskResult, TaskStreams } from "../core/client/task_request.ts";
import { WasimoffError } from "../core/errors.ts";
import { PYTHON_MEDIA } from "../core/storage/media.ts";
import type { PythonRun } from "../core/python_run.ts";
import { failed, STATUS_NOT_FOUND } from "../core/outcome.ts";
import { openFetch } from "../core/host/trusted_fetch.ts";
import { nameBroker } from "./broker_access.ts";
import { BrokerHttp } from "./broker_http.ts";
import type { Call } from "./command.ts";
import { ReachedBroker } from "./reached_broker.ts";
import { reportCauses } from "./report_error.ts";
import { type GuestIo, outcomeOf } from "./run_guest.ts";
import { storeFile } from "./store_file.ts";
import type { SUBMIT_COMMAND_FLAGS } from "./submit_flags.ts";
import { unreachableBroker } from "./unreachable_broker.ts";
import { unstarted } from "./task_end.ts";
import { VERSION } from "./version.ts";

export type SubmitCall = Call<typeof SUBMIT_COMMAND_FLAGS>;

/** Content that is here, or the name or reference under which the broker has it. */
type Content = { readonly bytes: Uint8Array } | { readonly stored: string };

/** As `GuestTask`, but that the broker may have the ZIPs, and that a task file may say more than flags. */
export interface SubmitTask {
  readonly module: Content;
  /** Set for a program in Python. */
  readonly python?: PythonRun;
  /** argv, with argv[0]. */
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly directories: readonly {
    readonly guest: string;
    readonly readOnly: boolean;
    readonly zip: Content | Uint8Array | null;
  }[];
  readonly artifacts: readonly string[];
  /** Win over the flags. */
  readonly wishes?: Partial<Pick<TaskRequest, "trace" | "priority" | "immediate" | "deadline">>;
}

/** Runs one task; what goes wrong becomes its outcome. */
export type RunSubmitTask = (task: SubmitTask, io: GuestIo, signal: AbortSignal) => Promise<TaskResult>;

/** Reads where the broker is, and makes what runs tasks there. */
export async function tasksAtBroker(call: SubmitCall): Promise<RunSubmitTask> {
  const { log: logger } = call;
  const { broker: urls, token, access } = await nameBroker(call, logger);
  const broker = new BrokerHttp({ url: urls.http, token, fetch: openFetch(access.trust).fetch });
  const agent = `wasimoff/${VERSION}`;
  let said = false;
  return async (task, io, signal) => {
    try {
      const reaching = ReachedBroker.reach({ broker: urls, token, agent, access, logger, signal });
      await using reached = await reaching.catch((error) => {
        const { code } = WasimoffError.from(error);
        throw code === "unavailable" ? unreachableBroker(urls.http, error) : error;
      });
      const request = { ...taskRequest(task, call), ...task.wishes };
      const notice = reached.check({ ...request, preopens: task.directories });
      if (notice !== null && !said) logger.info(notice);
      said ||= notice !== null;
      const program = task.python && !reached.storesPrograms ? task.module : null;
      const stored = program === null || !("bytes" in program) ? await storeFiles(broker, task, signal) : {
        ...await storeFiles(broker, { ...task, module: { stored: "" } }, signal),
        program: program.bytes,
      };
      const result = await reached.run({ ...request, ...stored }, streams(io), signal);
      if (request.trace && result.trace === undefined) logger.warn("the broker has sent no trace");
      return result;
    } catch (error) {
      reportCauses(error, logger);
      return unstarted(refusal(error));
    }
  };
}

async function storeFiles(
  broker: BrokerHttp,
  { module, python, directories }: SubmitTask,
  signal: AbortSignal,
) {
  const store = async (content: Content, media?: string) =>
    "stored" in content
      ? content.stored
      : await storeFile(broker, content.bytes, { signal, ...(media !== undefined && { media }) });
  const preopens = [];
  for (const { zip, ...rest } of directories) {
    const content = zip instanceof Uint8Array ? { bytes: zip } : zip;
    preopens.push(content === null ? rest : { ...rest, zip: await store(content) });
  }
  return { module: await store(module, python && PYTHON_MEDIA), preopens };
}

function taskRequest({ args, env, artifacts, python }: SubmitTask, { options, sources }: SubmitCall) {
  const { timeout, cpuTime, memory, disk, maxOutput, deadline } = options;
  const { deterministic, priority, immediate, require, attempts, trace } = options;
  return {
    ...{ args, env, artifacts, deterministic, priority, immediate, require, trace },
    ...(python !== undefined && { python }),
    // What nobody has asked for is no promise that an existing broker would have to keep.
    ...(sources.attempts === "default" ? {} : { attempts }),
    ...(timeout === null ? {} : { timeoutMs: timeout }),
    ...(cpuTime === null ? {} : { cpuMs: cpuTime }),
    ...(memory === null ? {} : { memoryBytes: memory }),
    ...(disk === null ? {} : { diskBytes: disk }),
    ...(maxOutput === null ? {} : { outputBytes: maxOutput }),
    ...(deadline === null ? {} : { deadline }),
  };
}

function streams({ stdin, stdout, stderr, artifacts }: GuestIo): TaskStreams {
  return {
    stdinBytes: stdin.bytes,
    stdout,
    stderr,
    ...(stdin.stream === null ? {} : { stdin: stdin.stream }),
    ...(artifacts === null ? {} : { artifacts }),
  };
}

/** Why the broker did not run the task. */
function refusal(thrown: unknown) {
  const { code, message } = WasimoffError.from(thrown);
  if (code === "not_found") return failed("rejected", "broker", message, STATUS_NOT_FOUND);
  return outcomeOf(thrown);
}
