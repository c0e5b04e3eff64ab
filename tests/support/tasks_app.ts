/** The broker's HTTP routes with a provider that a test plays, without sockets. */

import type { Hono } from "hono";
import { Broker } from "../../core/broker/broker.ts";
import { MemoryTaskLog } from "../../core/broker/dispatcher/memory_task_log.ts";
import type { HttpEnv } from "../../core/broker/http/http_env.ts";
import type { AttemptReport, AttemptRequest } from "../../core/broker/provider_peer.ts";
import { TasksV1 } from "../../core/broker/tasks_v1.ts";
import { startHash } from "../../core/host/hash.ts";
import { silent } from "../../core/log.ts";
import { exited } from "../../core/outcome.ts";
import { FileNames, UNSAVED } from "../../core/storage/file_names.ts";
import type { FileRef, FileStore } from "../../core/storage/file_store.ts";
import { MemoryStore } from "../../core/storage/memory_store.ts";
import { brokerApp, type BrokerAppOptions } from "./broker_app.ts";
import { chunks, wasmLike } from "./chunks.ts";

export type RunAttempt = (attempt: AttemptRequest) => Promise<AttemptReport>;

/** Copies stdin to stdout, says "err" on stderr, and exits with 0. */
export const echo: RunAttempt = async ({ io, spec, answered }) => {
  await io.stdout.write(io.stdinBytes);
  for (let chunk = await io.stdin?.read(); chunk; chunk = await io.stdin?.read()) {
    await io.stdout.write(chunk);
  }
  await io.stderr.write(new TextEncoder().encode("err\n"));
  if (spec.artifacts.length > 0) await io.artifacts?.write(new Uint8Array(30));
  for (const sink of [io.stdout, io.stderr, io.artifacts]) sink?.end();
  answered();
  return { outcome: exited(0), durationMs: 1 };
};

/** To be disposed of: the broker has timers. */
export interface TasksApp extends Disposable {
  readonly app: Hono<HttpEnv>;
  readonly broker: Broker;
  readonly tasks: TasksV1;
  readonly files: FileStore;
  readonly names: FileNames;
  /** A stored module, also known as `module`. */
  readonly module: FileRef;
}

export interface TasksAppOptions extends Omit<BrokerAppOptions, "providers"> {
  readonly maxHeldBytes?: number;
  readonly maxQueue?: number;
  /** The version of Python that providers say to have; none when absent. */
  readonly python?: string;
  /** How many play the same part. */
  readonly providers?: number;
}

/** null for nobody who runs anything. */
export async function tasksApp(
  runAttempt: RunAttempt | null = echo,
  options: TasksAppOptions = {},
): Promise<TasksApp> {
  const { maxHeldBytes, maxQueue = 100, providers = 1, python, ...deps } = options;
  const files = new MemoryStore({ maxTotalBytes: 1 << 24, startHash });
  const names = await FileNames.open(UNSAVED);
  const log = new MemoryTaskLog();
  const broker = new Broker({ idPrefix: "t", maxQueue, log, now: Date.now, startHash, logger: silent });
  const limits = { taskMemoryBytes: Infinity, taskTimeoutMs: Infinity };
  for (let i = 0; runAttempt !== null && i < providers; i++) {
    const info = { name: "p", generation: 2, slots: 4, labels: {}, cached: [], ...limits } as const;
    broker.join({ info: { ...info, ...(python !== undefined && { python }) }, runAttempt });
  }
  const { ref: module } = await files.put(chunks(wasmLike(100), 100));
  await names.set("module", module, "local");
  const held = maxHeldBytes === undefined ? {} : { maxHeldBytes };
  const tasks = new TasksV1({ broker, files, names, startHash, now: Date.now, ...held });
  const app = await brokerApp({ files, names, tasks, ...deps });
  return { app, broker, tasks, files, names, module, [Symbol.dispose]: () => broker.close() };
}
