/** Numbers of the broker and of its process as a page for Prometheus. */

import { collectDefaultMetrics, Counter, Gauge, Registry } from "prom-client";
import type { Reason } from "../outcome.ts";
import { type CountedTunnel, TunnelMetrics } from "./tunnel_metrics.ts";

/** What the broker knows of itself; read when somebody asks for the page. */
export interface BrokerNumbers {
  readonly providers: number;
  readonly slots: number;
  readonly tasksQueued: number;
  readonly tasksRunning: number;
  /** Tasks that ended without an error of ours, per second over the last 5 s. */
  readonly throughput: number;
  /** Tasks that ended since the start, by reason. */
  readonly tasksEnded: Readonly<Partial<Record<Reason, number>>>;
  /** Slots that died under tasks since the start. */
  readonly slotDeaths: number;
  /** Rejections of modules since the start. */
  readonly modulesRejected: number;
  readonly files: number;
  readonly fileBytes: number;
  /** Those that are open. */
  readonly tunnels: Iterable<CountedTunnel>;
}

/** How often the lag of the event loop is looked at: each time wakes an idle broker up. */
const LOOP_SAMPLE_MS = 100;

/** Gauges and where their values come from; the first three are the existing broker's (wasimoff-v1 12). */
const GAUGES: readonly [name: string, help: string, value: (numbers: BrokerNumbers) => number][] = [
  ["wasimoff_tasks_throughput", "Tasks per second over the last 5 seconds", (n) => n.throughput],
  ["wasimoff_conn_providers", "Connected providers", (n) => n.providers],
  ["wasimoff_conn_providers_workers", "Slots of all connected providers", (n) => n.slots],
  ["wasimoff_tasks_queued", "Tasks that wait for a provider", (n) => n.tasksQueued],
  ["wasimoff_tasks_running", "Tasks placed on providers", (n) => n.tasksRunning],
  ["wasimoff_storage_files", "Stored files", (n) => n.files],
  ["wasimoff_storage_bytes", "Size of all stored files in bytes", (n) => n.fileBytes],
];

/** Counters beside the one of tasks by reason, and where their values come from. */
const COUNTERS: readonly [name: string, help: string, value: (numbers: BrokerNumbers) => number][] = [
  ["wasimoff_slot_deaths_total", "Slots that died under a task", (n) => n.slotDeaths],
  [
    "wasimoff_modules_rejected_total",
    "Modules rejected because slots died under them",
    (n) => n.modulesRejected,
  ],
];

/** Has a registry of its own, so that several brokers live in one process. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #read: () => Promise<BrokerNumbers> | BrokerNumbers;
  readonly #gauges = GAUGES.map(([name, help, value]) => ({
    gauge: new Gauge({ name, help, registers: [this.#registry] }),
    value,
  }));
  readonly #counters = COUNTERS.map(([name, help, value]) => ({
    counter: new Counter({ name, help, registers: [this.#registry] }),
    value,
  }));
  readonly #ended = new Counter({
    name: "wasimoff_tasks_total",
    help: "Tasks that have ended, by reason",
    labelNames: ["reason"],
    registers: [this.#registry],
  });
  readonly #tunnels = new TunnelMetrics(this.#registry);

  constructor(read: () => Promise<BrokerNumbers> | BrokerNumbers) {
    this.#read = read;
    collectDefaultMetrics({ register: this.#registry, eventLoopMonitoringPrecision: LOOP_SAMPLE_MS });
  }

  /** The page, with numbers of this moment. */
  async page(): Promise<{ contentType: string; text: string }> {
    const numbers = await this.#read();
    for (const { gauge, value } of this.#gauges) gauge.set(value(numbers));
    for (const { counter, value } of this.#counters) {
      counter.reset();
      counter.inc(value(numbers));
    }
    this.#ended.reset();
    for (const [reason, count] of Object.entries(numbers.tasksEnded)) this.#ended.inc({ reason }, count);
    this.#tunnels.update(numbers.tunnels);
    return { contentType: this.#registry.contentType, text: await this.#registry.metrics() };
  }
}
