/** Our provider in a test with an existing broker: real connection and files, slots as the test has them. */

import { WasimoffError } from "../../core/errors.ts";
import { BrokerDialer } from "../../core/host/dial_broker.ts";
import { fetchFile, storageAt } from "../../core/host/fetch_file.ts";
import { startHash } from "../../core/host/hash.ts";
import { silent } from "../../core/log.ts";
import { exited } from "../../core/outcome.ts";
import { FileCache } from "../../core/provider/file_cache.ts";
import { runProvider } from "../../core/provider/provider.ts";
import type { ProviderOptions, RunInSlot } from "../../core/provider/provider_options.ts";
import type { SlotIo, SlotResult, SlotTask } from "../../core/provider/slot.ts";
import { MemoryStore } from "../../core/storage/memory_store.ts";
import { brokerUrls } from "./host_cluster.ts";
import type { ScriptedBroker } from "./scripted_broker_v1.ts";

/** A task in a slot, until the test ends it. */
export interface HeldTask {
  readonly task: SlotTask;
  readonly io: SlotIo;
  readonly signal: AbortSignal;
  finish(result?: Partial<SlotResult>): void;
}

/** Slots whose tasks a test ends one by one; an abort ends them with a rejection. */
export class HeldSlots {
  readonly tasks: HeldTask[] = [];

  readonly run: RunInSlot = async (task, io, signal) => {
    const { promise, resolve, reject } = Promise.withResolvers<SlotResult>();
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    const finish = (result: Partial<SlotResult> = {}) =>
      resolve({ outcome: exited(0), durationMs: 2, memoryBytes: 65_536, ...result });
    this.tasks.push({ task, io, signal, finish });
    return await promise;
  };
}

export interface ConnectedProvider extends AsyncDisposable {
  readonly files: MemoryStore;
  /** Tells it to drain; resolves when it has left. */
  leave(): Promise<void>;
}

export interface ConnectOptions extends Partial<ProviderOptions> {
  readonly runInSlot: RunInSlot;
  readonly protocols?: readonly string[];
}

/** Runs a provider with two slots. */
export function connectProvider(broker: ScriptedBroker, options: ConnectOptions): ConnectedProvider {
  const files = new MemoryStore({ maxTotalBytes: 1 << 26, startHash });
  const stop = new AbortController();
  const http = new URL(`${broker.url}/`);
  const cache = new FileCache({
    store: files,
    fetchFile: (ref, signal) => fetchFile(storageAt(http, "api/storage/"), ref, { token: null, signal }),
  });
  const done = runProvider({
    name: "ours",
    labels: {},
    slots: 2,
    taskMemoryBytes: 1 << 26,
    taskTimeoutMs: 60_000,
    taskDiskBytes: 1 << 26,
    once: false,
    drainMs: 1_000,
    openSession: async (signal) => {
      const { protocols } = options;
      const dialer = new BrokerDialer({
        broker: brokerUrls(broker.port),
        endpoint: "provider",
        query: { id: "ours" },
        token: null,
        agent: "wasimoff/test",
        ...(protocols && { protocols }),
        logger: silent,
      });
      const reached = await dialer.connect(signal);
      if (reached.generation === 1) return { ...reached, files };
      throw new WasimoffError("internal", "an existing broker has chosen v2");
    },
    loadFile: (ref) => cache.get(ref, stop.signal),
    cached: () => Promise.resolve([]),
    logger: silent,
    signal: stop.signal,
    ...options,
  });
  const leave = () => {
    stop.abort();
    return done;
  };
  return { files, leave, [Symbol.asyncDispose]: leave };
}

/** A slot that gets its files, says its arguments and exits with the number in the last one. */
export const echoingSlot: RunInSlot = async ({ module, preopens, args, artifacts }, io) => {
  await module.load();
  for (const { zip } of preopens) await zip?.load();
  await io.stdout.write(new TextEncoder().encode(args.join(" ")));
  await io.stderr.write(new TextEncoder().encode(await textOf(io.stdin)));
  if (artifacts.length > 0) await io.artifacts.write(new TextEncoder().encode("PK"));
  for (const sink of [io.stdout, io.stderr, io.artifacts]) sink.end();
  return { outcome: exited(Number(args.at(-1) ?? 0) || 0), durationMs: 1, memoryBytes: 65_536 };
};

async function textOf(stdin: SlotIo["stdin"]): Promise<string> {
  let text = "";
  for (let chunk = await stdin?.read(); chunk; chunk = await stdin?.read()) {
    text += new TextDecoder().decode(chunk);
  }
  return text;
}
