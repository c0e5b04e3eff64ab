/** `wasimoff run`: runs a program here, in the sandbox of the providers, without a broker. */

import type { ByteSink } from "../core/byte_stream.ts";
import type { TaskResult } from "../core/client/task_request.ts";
import { Guard } from "../core/host/guard.ts";
import { createProcessSlotStarter } from "../core/host/process_slot.ts";
import { prefixed } from "../core/provider/prefixed_source.ts";
import {
  MAX_ARTIFACT_BYTES,
  MAX_DESCRIPTORS,
  MAX_INODES,
  type SlotFile,
  type SlotIo,
  type SlotTask,
} from "../core/provider/slot.ts";
import { type Call, defineCommand } from "./command.ts";
import { COMMON_FLAGS } from "./common_flags.ts";
import { fileRef } from "./file_ref.ts";
import { size } from "./flag_kinds.ts";
import { flag } from "./flags.ts";
import { taskFailureStatus } from "./report_error.ts";
import { type GuestTask, prepareTask } from "./guest_task.ts";
import { type GuestIo, runGuest } from "./run_guest.ts";
import { slotCommands } from "./slot_commands.ts";
import { TASK_FLAGS, TASK_OPERANDS } from "./task_flags.ts";

/** As a provider gives when it is not told otherwise. */
const DEFAULT_MEMORY_BYTES = 512 * 1024 * 1024;
const DEFAULT_DISK_BYTES = 1024 ** 3;
/** The longest that a timer can wait, 24 days: here nobody else waits for the slot. */
const NO_TIMEOUT_MS = 2 ** 31 - 1;

const FLAGS = {
  ...TASK_FLAGS,
  memory: flag(size, "memory of the guest", { default: DEFAULT_MEMORY_BYTES }),
  disk: flag(size, "most bytes of its files", { default: DEFAULT_DISK_BYTES }),
  ...COMMON_FLAGS,
};

export const command = defineCommand({
  name: "run",
  summary: "run a program here, in the sandbox of the providers",
  operands: TASK_OPERANDS,
  examples: [
    "wasimoff run task.wasm -- --size 12 < in.txt > out.txt",
    "wasimoff run --dir data::/data --artifact out -o results sort.wasm -- /data",
  ],
  flags: FLAGS,
  failureStatus: taskFailureStatus,
  run: (call) =>
    runGuest({ ...call, broker: false }, {
      prepare: prepareTask,
      run: (task, io, signal) => runHere(call, { task, io, signal }),
    }),
});

interface Work {
  readonly task: GuestTask;
  readonly io: GuestIo;
  readonly signal: AbortSignal;
}

async function runHere(
  { options, log }: Call<typeof FLAGS>,
  { task, io, signal }: Work,
): Promise<TaskResult> {
  if (!("bytes" in task.module)) throw new TypeError("run takes only modules that are here");
  const { timeout, cpuTime, deadline, memory, disk, maxOutput, deterministic } = options;
  const timeoutMs = Math.min(
    timeout ?? NO_TIMEOUT_MS,
    deadline === null ? NO_TIMEOUT_MS : deadline - Date.now(),
  );
  const slotTask: SlotTask = {
    module: await slotFile(task.module.bytes),
    args: task.args,
    env: task.env,
    preopens: await Promise.all(
      task.directories.map(async ({ zip, ...rest }) => ({ ...rest, zip: zip && await slotFile(zip) })),
    ),
    artifacts: task.artifacts,
    limits: {
      timeoutMs: Math.max(1, timeoutMs),
      cpuMs: cpuTime,
      memoryBytes: memory,
      diskBytes: disk,
      inodes: MAX_INODES,
      descriptors: MAX_DESCRIPTORS,
      outputBytes: maxOutput,
      artifactBytes: MAX_ARTIFACT_BYTES,
    },
    lenientArtifacts: false,
    deterministic,
  };
  const commands = slotCommands();
  const guard = new Guard({ command: commands.guard, logger: log });
  try {
    const slot = await createProcessSlotStarter({ command: commands.slot, guard, logger: log })(signal);
    try {
      const { outcome, durationMs } = await slot.run(slotTask, slotIo(io), signal);
      return { task: "", outcome, provider: "", attempts: 1, queuedMs: 0, durationMs };
    } finally {
      await slot.close();
    }
  } finally {
    await guard.close();
  }
}

async function slotFile(bytes: Uint8Array): Promise<SlotFile> {
  return { ref: await fileRef(bytes), load: () => Promise.resolve(bytes) };
}

function slotIo({ stdin, stdout, stderr, artifacts }: GuestIo): SlotIo {
  return { stdin: prefixed(stdin.bytes, stdin.stream), stdout, stderr, artifacts: artifacts ?? NOWHERE };
}

/** Gets nothing: without artifacts the slot sends none. */
const NOWHERE: ByteSink = { write() {}, end() {}, abort() {} };
