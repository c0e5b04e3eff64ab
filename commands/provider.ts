/** `wasimoff provider`: runs tasks of a broker on this machine. */

import { runProviderHost } from "../core/host/provider_host.ts";
import { nameBroker } from "./broker_access.ts";
import { type Call, defineCommand } from "./command.ts";
import { BROKER_NOTE } from "./common_flags.ts";
import { PROVIDER_COMMAND_FLAGS } from "./provider_flags.ts";
import { slotCommands } from "./slot_commands.ts";
import { usageError } from "./usage_error.ts";
import { VERSION } from "./version.ts";

export const command = defineCommand({
  name: "provider",
  summary: "run tasks of a broker on this machine",
  operands: { usage: "", min: 0, max: 0 },
  examples: [
    "wasimoff provider --url http://broker:4080 --token-file token.txt",
    "wasimoff provider -j 4 --python --wheels ~/wheels --storage ~/.cache/wasimoff",
  ],
  flags: PROVIDER_COMMAND_FLAGS,
  notes: [BROKER_NOTE],
  server: true,
  run: provide,
});

/** How long running tasks may take to end after the first signal. */
const DRAIN_MS = 30_000;

async function provide(
  { options, sources, log, signal }: Call<typeof PROVIDER_COMMAND_FLAGS>,
): Promise<number> {
  if (options.wheels !== null && !options.python) throw usageError("--wheels is for --python: give both");
  const slots = options.once ? 1 : options.jobs ?? navigator.hardwareConcurrency;
  const named = await nameBroker({ options, sources }, log);
  signal.addEventListener("abort", () => log.info("draining: a second signal leaves at once"), {
    once: true,
  });
  await runProviderHost({
    ...named,
    storage: options.storage === ":memory:" ? null : options.storage,
    agent: `wasimoff/${VERSION}`,
    commands: slotCommands(),
    name: options.name ?? Deno.hostname(),
    labels: options.label,
    slots,
    taskMemoryBytes: options.taskMemory,
    taskDiskBytes: options.taskDisk,
    taskTimeoutMs: options.taskTimeout,
    ...(options.python && { python: { wheels: options.wheels } }),
    once: options.once,
    drainMs: DRAIN_MS,
    onReady: (id, transport) =>
      log.info(`provider is ready: ${slots} slots for ${options.url}`, { id, transport }),
    logger: log,
    signal,
  });
  return 0;
}
