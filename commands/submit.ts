/** `wasimoff submit`: runs a program on a provider as if it ran here. */

import { WasimoffError } from "../core/errors.ts";
import { failed, STATUS_NOT_FOUND } from "../core/outcome.ts";
import { parseBrokerUrl, readToken } from "./broker_address.ts";
import { BrokerHttp } from "./broker_http.ts";
import { type Call, defineCommand } from "./command.ts";
import { BROKER_NOTE } from "./common_flags.ts";
import { ReachedBroker } from "./reached_broker.ts";
import { reportCauses, taskFailureStatus } from "./report_error.ts";
import type { GuestTask } from "./guest_task.ts";
import { type GuestIo, outcomeOf, runGuest } from "./run_guest.ts";
import { storeFile } from "./store_file.ts";
import { SUBMIT_COMMAND_FLAGS } from "./submit_flags.ts";
import { unstarted } from "./task_end.ts";
import { TASK_OPERANDS } from "./task_flags.ts";
import { VERSION } from "./version.ts";

const AGENT = `wasimoff/${VERSION}`;

type SubmitCall = Call<typeof SUBMIT_COMMAND_FLAGS>;

export const command = defineCommand({
  name: "submit",
  summary: "run a program on a provider as if it ran here",
  operands: TASK_OPERANDS,
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
  const { options, sources } = call;
  const address = parseBrokerUrl(options.url);
  const token = await readToken(options.tokenFile, sources.tokenFile, (name) => Deno.env.get(name));
  const broker = new BrokerHttp({ url: address.http, token });
  return await runGuest({ ...call, broker: true }, async (task, io, signal) => {
    try {
      const { log: logger } = call;
      const url = new URL("api/client/ws", address.webSocket).href;
      await using reached = await ReachedBroker.reach(url, { token, agent: AGENT, logger, signal });
      const request = taskRequest(task, call);
      reached.check({ ...request, preopens: task.directories });
      const stored = await storeFiles(broker, task, signal);
      return await reached.run({ ...request, ...stored }, streams(io), signal);
    } catch (error) {
      reportCauses(error, call.log);
      return unstarted(refusal(error));
    }
  });
}

interface StoredTask {
  /** Name or reference. */
  readonly module: string;
  readonly preopens: ReadonlyArray<{
    readonly guest: string;
    readonly readOnly: boolean;
    readonly zip?: string;
  }>;
}

async function storeFiles(broker: BrokerHttp, task: GuestTask, signal: AbortSignal): Promise<StoredTask> {
  const { module, directories } = task;
  const preopens = [];
  for (const { zip, ...rest } of directories) {
    preopens.push(zip === null ? rest : { ...rest, zip: await storeFile(broker, zip, signal) });
  }
  return {
    module: "stored" in module ? module.stored : await storeFile(broker, module.bytes, signal),
    preopens,
  };
}

function taskRequest({ args, env, artifacts }: GuestTask, { options, sources }: SubmitCall) {
  const { timeout, cpuTime, memory, disk, maxOutput, deadline } = options;
  const { deterministic, priority, immediate, require, attempts, trace } = options;
  return {
    ...{ args, env, artifacts, deterministic, priority, immediate, require, trace },
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

function streams({ stdin, stdout, stderr, artifacts }: GuestIo) {
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
