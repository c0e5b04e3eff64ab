/**
 * The whole path of a task over loopback: client, broker, provider and slot as four processes. Prints each
 * figure beside its floor from the same run and its target; ends with status 1 when a target is missed.
 */

// deno-lint-ignore-file no-console -- prints what it measures
import { SlotPool } from "../../core/provider/slot_pool.ts";
import { LIMITS } from "../support/slot_tasks.ts";
import type { SlotTask } from "../../core/provider/slot.ts";
import { dialWebSocket } from "../../core/host/websocket_dialer.ts";
import { Guard } from "../../core/host/guard.ts";
import { createProcessSlotStarter } from "../../core/host/process_slot.ts";
import { selfCommand } from "../../core/host/self_command.ts";
import { WasimoffError } from "../../core/errors.ts";
import { silent } from "../../core/log.ts";
import { SUBPROTOCOL_V2 } from "../../core/protocol/limits.ts";
import { openSession } from "../../core/session/dialer.ts";
import { Messenger } from "../../core/protocol/messenger.ts";
import type { Session } from "../../core/session/session.ts";
import { RealCluster, runQuietly } from "../support/real_cluster.ts";

const MAIN = new URL("../../main.ts", import.meta.url).href;
let missed = 0;

function report(
  what: string,
  value: number,
  unit: string,
  target: { max?: number; min?: number },
  floor?: number,
): void {
  const ok = value <= (target.max ?? Infinity) && value >= (target.min ?? -Infinity);
  if (!ok) missed++;
  const wanted = target.max !== undefined
    ? `at most ${target.max}`
    : target.min !== undefined
    ? `at least ${target.min}`
    : "-";
  const beside = floor === undefined
    ? ""
    : `, floor ${floor.toFixed(3)} (ratio ${(value / floor).toFixed(2)})`;
  console.log(`${ok ? "ok    " : "MISSED"} ${what}: ${value.toFixed(3)} ${unit} (${wanted})${beside}`);
}

function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))]!;
}

async function times(count: number, run: () => Promise<unknown>): Promise<number[]> {
  const all: number[] = [];
  for (let i = 0; i < count; i++) {
    const startedMs = performance.now();
    await run();
    all.push(performance.now() - startedMs);
  }
  return all.sort((a, b) => a - b);
}

/** Runs `count` tasks with `width` in flight; tasks per second. */
async function rate(count: number, width: number, run: () => Promise<unknown>): Promise<number> {
  let left = count;
  const startedMs = performance.now();
  await Promise.all(Array.from({ length: width }, async () => {
    while (left-- > 0) await run();
  }));
  return count / ((performance.now() - startedMs) / 1000);
}

/** Round trip of 200 bytes over one WebSocket to another process: the least a hop can cost. */
async function echoFloor(): Promise<number[]> {
  const worker = new Deno.Command(Deno.execPath(), {
    args: [
      "eval",
      "--quiet",
      `
      import { WebSocketServer } from "npm:ws@8.23.0";
      const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: false });
      server.on("connection", (s) => s.on("message", (d) => s.send(d)));
      server.on("listening", () => console.log(server.address().port));
    `,
    ],
    stdout: "piped",
  }).spawn();
  const reader = worker.stdout.getReader();
  const port = new TextDecoder().decode((await reader.read()).value).trim();
  reader.releaseLock();
  const { WebSocket } = await import("ws");
  const socket = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false });
  await new Promise((resolve) => socket.once("open", resolve));
  const message = new Uint8Array(200);
  const result = await times(3_000, () =>
    new Promise((resolve) => {
      socket.once("message", resolve);
      socket.send(message);
    }));
  socket.terminate();
  worker.kill("SIGKILL");
  await worker.stdout.cancel();
  await worker.status;
  return result;
}

/** The same CPU-bound tasks in the slots alone. */
async function slotsAlone(module: Uint8Array, slots: number, tasks: number): Promise<number> {
  const guard = new Guard({ command: selfCommand("guard", MAIN, ["--allow-run"]), logger: silent });
  const start = createProcessSlotStarter({ command: selfCommand("slot", MAIN), guard, logger: silent });
  const pool = await SlotPool.open({ size: slots, start, logger: silent });
  const sink = { write() {}, end() {}, abort() {} };
  let seed = 0;
  const run = () => {
    const task: SlotTask = {
      module: { ref: `sha256:${"1".repeat(64)}`, load: () => Promise.resolve(module) },
      args: ["tsp", "--seed", String(++seed)],
      env: [],
      preopens: [],
      artifacts: [],
      limits: { ...LIMITS, memoryBytes: 64 << 20 },
      deterministic: false,
      lenientArtifacts: false,
    };
    return pool.run(
      task,
      { stdin: null, stdout: sink, stderr: sink, artifacts: sink },
      new AbortController().signal,
    );
  };
  await rate(slots, slots, run);
  seed = 0;
  const perSecond = await rate(tasks, slots, run);
  await pool.close();
  await guard.close();
  return perSecond;
}

/** Measures something while another task of the same client copies its stdin to its stdout as fast as it can. */
async function whileStreaming<T>(measure: () => Promise<T>): Promise<{ result: T; mbPerS: number }> {
  const chunk = new Uint8Array(65_536).fill(97);
  let over = false;
  let bytes = 0;
  const task = client.run(upcase, {
    stdin: { read: () => Promise.resolve(over ? null : chunk), cancel: () => {} },
    stdout: { write: (chunk) => void (bytes += chunk.length), end() {}, abort() {} },
    stderr: { write() {}, end() {}, abort() {} },
  });
  while (bytes < 10_000_000) await new Promise((resolve) => setTimeout(resolve, 10));
  const [startedMs, startedBytes] = [performance.now(), bytes];
  const result = await measure();
  const mbPerS = (bytes - startedBytes) / 1e3 / (performance.now() - startedMs);
  over = true;
  await task;
  return { result, mbPerS };
}

/** A module with `bytes` of ballast in a custom section, different at each call. */
function ballasted(module: Uint8Array, bytes: number): Uint8Array {
  const body = new Uint8Array(bytes);
  for (let i = 0; i < bytes; i += 65_536) crypto.getRandomValues(body.subarray(i, i + 65_536));
  body.set([1, 0x78], 0); // name: "x"
  const size: number[] = [];
  for (let rest = bytes; rest > 0; rest >>= 7) size.push((rest & 0x7f) | (rest >= 0x80 ? 0x80 : 0));
  return new Uint8Array([...module, 0, ...size, ...body]);
}

function rssKiB(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(Deno.readTextFileSync(`/proc/${pid}/status`))![1]);
}

/** Memory of the broker for each of many idle providers. */
async function idleProviders(cluster: RealCluster, count: number): Promise<number> {
  await connectIdle(cluster, count / 4); // what the broker grows by once is no provider's share
  const before = rssKiB(cluster.broker.pid);
  const close = await connectIdle(cluster, count);
  const perProvider = (rssKiB(cluster.broker.pid) - before) / count;
  close();
  return perProvider;
}

/** Connects providers without slots; the returned function ends them. */
async function connectIdle(cluster: RealCluster, count: number): Promise<() => void> {
  const url = `${cluster.url.replace("http", "ws")}/api/provider/ws`;
  const sessions: Session[] = [];
  for (let i = 0; i < count; i++) {
    const session = await openSession({
      dial: async (signal) => (await dialWebSocket(url, { protocols: [SUBPROTOCOL_V2], signal })).connection,
      token: "",
      agent: "bench",
      logger: silent,
      signal: new AbortController().signal,
    });
    const messenger = new Messenger(session, {
      request: () => Promise.reject(new Error("idle")),
      event: () => {},
    });
    await messenger.request({ case: "announce", value: { name: `idle-${i}`, slots: 0 } });
    sessions.push(session);
  }
  return () => sessions.forEach((session) => session.close(new WasimoffError("canceled", "bench is over")));
}

const cluster = await RealCluster.start();
await cluster.provider("-j", "2");
const client = await cluster.client();
const module = await Deno.readFile(new URL("../../examples/tsp/tsp.wasm", import.meta.url));
const noop = { module: await cluster.example("noop"), args: ["noop"] };
const tsp = await cluster.example("tsp");

await times(2_000, () => runQuietly(client, noop)); // warm up all four
const floor = await echoFloor();
const single = await times(4_000, () => runQuietly(client, noop));
report("no-op task, one at a time, p50", quantile(single, 0.5), "ms", { max: 0.4 }, quantile(floor, 0.5));
report("no-op task, one at a time, p99", quantile(single, 0.99), "ms", { max: 2 }, quantile(floor, 0.99));
report("no-op task, one at a time, p99.9 (no 40 ms stalls)", quantile(single, 0.999), "ms", { max: 38 });
const perSecond = await rate(20_000, 64, () => runQuietly(client, noop));
report("no-op tasks, 64 in flight", perSecond, "tasks/s", { min: 6_000 });

const upcase = { module: await cluster.example("upcase"), args: ["upcase"] };
const megabyte = new Uint8Array(1_000_000).fill(97);
const through = await times(50, async () => {
  let at = 0;
  let received = 0;
  await client.run(upcase, {
    stdin: {
      read: () => Promise.resolve(at < megabyte.length ? megabyte.subarray(at, at += 65_536) : null),
      cancel: () => {},
    },
    stdout: { write: (chunk) => void (received += chunk.length), end() {}, abort() {} },
    stderr: { write() {}, end() {}, abort() {} },
  });
  if (received !== megabyte.length) throw new Error(`received ${received} bytes`);
});
report("1 MB in and out, p50", quantile(through, 0.5), "ms", { max: 10 });

const besideStream = await whileStreaming(() => times(500, () => runQuietly(client, noop)));
report("no-op task beside a stream in the same session, p99", quantile(besideStream.result, 0.99), "ms", {
  max: 20,
});
console.log(`       the stream meanwhile: ${besideStream.mbPerS.toFixed(0)} MB/s each way`);

const cold: number[] = [];
for (let i = 0; i < 20; i++) {
  const ref = await cluster.upload(
    ballasted(await Deno.readFile(new URL("../../examples/upcase/upcase.wasm", import.meta.url)), 200_000),
  );
  const run = () => runQuietly(client, { module: ref, args: ["upcase"] });
  const [first] = await times(1, run);
  cold.push(first!);
}
cold.sort((a, b) => a - b);
const warm = await times(50, () => runQuietly(client, upcase));
report("cold module of 200 KB, more than warm, p50", quantile(cold, 0.5) - quantile(warm, 0.5), "ms", {
  max: 5,
});

const tasks = 24;
const alone = await slotsAlone(module, 2, tasks);
let seed = 0;
const together = await rate(
  tasks,
  2,
  () => runQuietly(client, { module: tsp, args: ["tsp", "--seed", String(++seed)] }),
);
report("CPU-bound tasks beside the slots alone", (together / alone) * 100, "%", { min: 97 });

const endless = { module: await cluster.upload(endlessModule()), args: ["endless"] };
const cancels: number[] = [];
for (let i = 0; i < 10; i++) {
  const cancel = new AbortController();
  const run = runQuietly(client, endless, cancel.signal);
  await new Promise((resolve) => setTimeout(resolve, 150));
  const startedMs = performance.now();
  cancel.abort(new WasimoffError("canceled", "enough"));
  await run;
  cancels.push(performance.now() - startedMs);
}
cancels.sort((a, b) => a - b);
report("cancel to a free CPU, worst of 10", cancels.at(-1)!, "ms", { max: 50 });

await cluster[Symbol.asyncDispose]();
const fresh = await RealCluster.start();
report("memory of the broker for an idle provider", await idleProviders(fresh, 1_000), "KiB", { max: 64 });
await fresh[Symbol.asyncDispose]();
Deno.exit(missed > 0 ? 1 : 0);

/** `_start` that loops for ever. */
function endlessModule(): Uint8Array {
  return new Uint8Array([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...[1, 4, 1, 0x60, 0, 0], // type () -> ()
    ...[3, 2, 1, 0], // one function
    ...[5, 3, 1, 0, 1], // one page of memory
    ...[7, 19, 2, 6, 0x6d, 0x65, 0x6d, 0x6f, 0x72, 0x79, 2, 0, 6, 0x5f, 0x73, 0x74, 0x61, 0x72, 0x74, 0, 0],
    ...[10, 9, 1, 7, 0, 3, 0x40, 0x0c, 0, 0x0b, 0x0b], // loop br 0 end end
  ]);
}
