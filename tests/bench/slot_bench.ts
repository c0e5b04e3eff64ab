/** A no-op task through a real slot, beside its floor: the same bytes through a child that echoes its pipe. */

import { openRealSlot } from "../support/real_slots.ts";
import { collectingIo, fileOf, LIMITS } from "../support/slot_tasks.ts";
import type { SlotTask } from "../../core/provider/slot.ts";

const ROUNDS = 3;
const TASKS = 1_500;
/** About the size of the header of a no-op task. */
const ECHO_BYTES = 300;

const NOOP: SlotTask = {
  module: fileOf(Deno.readFileSync(new URL("../../examples/noop/noop.wasm", import.meta.url))),
  args: ["noop"],
  env: [],
  preopens: [],
  artifacts: [],
  limits: { ...LIMITS, memoryBytes: 1024 * 1024 },
  deterministic: false,
  lenientArtifacts: false,
};

const ECHO = `const b = new Uint8Array(65536);
for (;;) { const n = await Deno.stdin.read(b); if (n === null) break; Deno.stdout.writeSync(b.subarray(0, n)); }`;

/** Times of one call each, in microseconds, sorted. */
async function measure(call: () => Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < TASKS; i++) {
    const startedMs = performance.now();
    await call();
    times.push((performance.now() - startedMs) * 1000);
  }
  return times.sort((a, b) => a - b);
}

async function throughSlot(): Promise<number[]> {
  await using real = await openRealSlot();
  const never = new AbortController().signal;
  const run = async () => {
    const { outcome } = await real.slot.run(NOOP, collectingIo(), never);
    if (outcome.reason !== "exit") throw new Error(outcome.message);
  };
  for (let i = 0; i < 200; i++) await run();
  return await measure(run);
}

async function throughEcho(): Promise<number[]> {
  const options = { stdin: "piped", stdout: "piped" } as const;
  const child = new Deno.Command(Deno.execPath(), { args: ["eval", ECHO], ...options }).spawn();
  const writer = child.stdin.getWriter();
  const reader = child.stdout.getReader({ mode: "byob" });
  let buffer = new ArrayBuffer(65536);
  const message = new Uint8Array(ECHO_BYTES);
  const echo = async () => {
    void writer.write(message);
    for (let got = 0; got < ECHO_BYTES;) {
      const { value } = await reader.read(new Uint8Array(buffer));
      got += value!.length;
      buffer = value!.buffer;
    }
  };
  for (let i = 0; i < 200; i++) await echo();
  const times = await measure(echo);
  await writer.close();
  await reader.cancel();
  await child.status;
  return times;
}

/** Prints one line per round: p50 and p99 of both, in microseconds. */
for (let round = 0; round < ROUNDS; round++) {
  const [echo, slot] = [await throughEcho(), await throughSlot()];
  const at = (times: number[], part: number) => Math.round(times[Math.floor(times.length * part)]!);
  const line = (times: number[]) => `p50 ${at(times, 0.5)} us, p99 ${at(times, 0.99)} us`;
  const text = `no-op task through a slot: ${line(slot)} (pipe echo: ${line(echo)})\n`;
  Deno.stdout.writeSync(new TextEncoder().encode(text));
}
