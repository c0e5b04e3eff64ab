/** `wasimoff submit`: runs a program on a provider as if it ran here. */

import { Client } from "../core/client/client.ts";
import { WasimoffError } from "../core/errors.ts";
import { dialV2 } from "../core/host/dial_v2.ts";
import { failed, STATUS_NOT_FOUND } from "../core/outcome.ts";
import { parseBrokerUrl, readToken } from "./broker_address.ts";
import { BrokerHttp } from "./broker_http.ts";
import { type Call, defineCommand } from "./command.ts";
import { BROKER_NOTE } from "./common_flags.ts";
import { ProgressNotices } from "./progress_notices.ts";
import { reportCauses, taskFailureStatus } from "./report_error.ts";
import type { GuestTask } from "./guest_task.ts";
import { type GuestIo, outcomeOf, runGuest } from "./run_guest.ts";
import { storeFile } from "./store_file.ts";
import { SUBMIT_COMMAND_FLAGS } from "./submit_flags.ts";
import { unstarted } from "./task_end.ts";
import { TASK_OPERANDS } from "./task_flags.ts";
import { VERSION } from "./version.ts";

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
      const notices = new ProgressNotices(call.log);
      const refs = await storeFiles(broker, task, signal);
      const client = await connect(new URL("api/client/ws", address.webSocket), { token, call, signal });
      try {
        return await client.run(taskRequest(task, refs, call), streams(io), {
          signal,
          onProgress: (progress) => notices.report(progress),
        });
      } finally {
        notices.close();
        client.close();
      }
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

interface ConnectDetails {
  readonly token: string | null;
  readonly call: SubmitCall;
  readonly signal: AbortSignal;
}

async function connect(url: URL, { token, call, signal }: ConnectDetails): Promise<Client> {
  return await Client.connect({
    dial: dialV2(url.href),
    agent: `wasimoff/${VERSION}`,
    logger: call.log,
    signal,
    ...(token === null ? {} : { token }),
  });
}

function taskRequest({ args, env, artifacts }: GuestTask, stored: StoredTask, { options }: SubmitCall) {
  const { timeout, cpuTime, memory, disk, maxOutput, deadline } = options;
  const { deterministic, priority, immediate, require, attempts } = options;
  return {
    ...stored,
    args,
    env,
    artifacts,
    deterministic,
    priority,
    immediate,
    require,
    attempts,
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
