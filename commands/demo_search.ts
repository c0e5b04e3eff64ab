/** The CPU-bound part of the demo: one search, alone and then many at once. */

import type { Client } from "../core/client/client.ts";
import type { ByteSink } from "../core/byte_stream.ts";
import { WasimoffError } from "../core/errors.ts";
import type { FileRef } from "../core/storage/file_store.ts";
import { Progress } from "./progress.ts";
import { formatTable } from "./table.ts";

/** A few dozen: about ten seconds of work for one slot. */
const TASKS = 24;
/** Tasks that run alone first, to know what one slot does. */
const ALONE = 3;

interface Run {
  /** What the guest printed. */
  readonly text: string;
  readonly totalMs: number;
  readonly queuedMs: number;
  readonly guestMs: number;
}

export interface SearchReport {
  readonly aloneMs: number;
  readonly wallMs: number;
  readonly runs: readonly Run[];
}

interface SearchOptions {
  readonly client: Client;
  readonly module: FileRef;
  readonly slots: number;
  readonly signal: AbortSignal;
}

/** Runs the search with a few seeds one after the other, then with many at the same time. */
export async function search({ client, module, slots, signal }: SearchOptions): Promise<SearchReport> {
  const one = (seed: number) => runOne({ client, module, signal }, seed);
  await one(1); // fetches and compiles the module
  const alone: Run[] = [];
  for (let seed = 1; seed <= ALONE; seed++) alone.push(await one(seed));

  const progress = new Progress({
    isTerminal: Deno.stderr.isTerminal(),
    write: (text) => void Deno.stderr.writeSync(new TextEncoder().encode(text)),
    now: () => performance.now(),
  });
  let done = 0;
  const startedMs = performance.now();
  const tick = () => {
    const rate = done / ((performance.now() - startedMs) / 1000);
    const leftS = rate > 0 ? Math.ceil((TASKS - done) / rate) : NaN;
    const running = Math.min(slots, TASKS - done);
    progress.update(() =>
      `${done} of ${TASKS} done, ${running} running, ${rate.toFixed(1)}/s${
        leftS > 0 ? `, ${leftS} s left` : ""
      }`
    );
  };
  const ticking = setInterval(tick, 100);
  try {
    const runs = await Promise.all(Array.from({ length: TASKS }, async (_, i) => {
      const run = await one(i + 1);
      done++;
      return run;
    }));
    return {
      aloneMs: mean(alone.map(({ totalMs }) => totalMs)),
      wallMs: performance.now() - startedMs,
      runs,
    };
  } finally {
    clearInterval(ticking);
    progress.close();
  }
}

async function runOne({ client, module, signal }: Omit<SearchOptions, "slots">, seed: number): Promise<Run> {
  const startedMs = performance.now();
  const stdout = new TextSink();
  const { outcome, queuedMs, durationMs } = await client.run(
    { module, args: ["tsp", "--seed", String(seed)] },
    { stdout, stderr: new TextSink() },
    { signal },
  );
  if (outcome.reason !== "exit" || outcome.status !== 0) {
    throw new WasimoffError(
      "internal",
      `task ended with ${outcome.reason} ${outcome.status}: ${outcome.message}`,
    );
  }
  return { text: stdout.text.trim(), totalMs: performance.now() - startedMs, queuedMs, guestMs: durationMs };
}

/** The table at the end of the demo. */
export function describeSearch({ aloneMs, wallMs, runs }: SearchReport, slots: number): string {
  const guestMs = runs.reduce((sum, run) => sum + run.guestMs, 0);
  const oneSlotMs = aloneMs * runs.length;
  const overheadMs = mean(runs.map(({ totalMs, queuedMs, guestMs }) => totalMs - queuedMs - guestMs));
  const best = runs.map(({ text }) => text).sort((a, b) => tourLength(a) - tourLength(b))[0]!;
  return formatTable(["tasks", String(runs.length)], [
    ["time", `${seconds(wallMs)} on ${slots} slots`],
    ["one slot", `${seconds(oneSlotMs)} (${ALONE} tasks alone took ${seconds(aloneMs)} each)`],
    ["speed-up", `${(oneSlotMs / wallMs).toFixed(2)} times`],
    ["slots busy", `${((guestMs / (slots * wallMs)) * 100).toFixed(1)} % of the time`],
    [
      "a task",
      `${mean(runs.map(({ queuedMs }) => queuedMs)).toFixed(0)} ms waiting, ` +
      `${(guestMs / runs.length).toFixed(0)} ms running, ${overheadMs.toFixed(1)} ms on the way`,
    ],
    ["best found", best],
  ]);
}

function tourLength(text: string): number {
  return Number(/ is ([\d.]+)$/.exec(text)?.[1] ?? Infinity);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}

class TextSink implements ByteSink {
  readonly #decoder = new TextDecoder();
  text = "";

  write(chunk: Uint8Array): void {
    this.text += this.#decoder.decode(chunk, { stream: true });
  }

  end(): void {}

  abort(): void {}
}
