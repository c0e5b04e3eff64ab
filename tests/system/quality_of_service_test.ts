/** Which task comes first, where, or not at all. */

import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import type { TaskRequest } from "../../core/client/task_request.ts";
import { exited } from "../../core/outcome.ts";
import { runCommand } from "../support/command_run.ts";
import { HostCluster } from "../support/host_cluster.ts";
import { liveIo, LiveStdin } from "../support/live_streams.ts";
import { until } from "../support/real_slots.ts";

/** One provider with one slot, taken by a task that ends when it is told to. */
async function busyCluster() {
  const cluster = await HostCluster.start();
  await cluster.provider({ name: "only", labels: { zone: "a" } });
  const module = await cluster.store();
  const client = await cluster.client();
  const io = liveIo(new LiveStdin());
  const first = client.run({ module, args: ["guest", "echo"] }, io);
  first.catch(() => {}); // where a test has failed before it ended
  io.stdin.write("running\n");
  await io.stdout.has("running\n");
  const run = (fields: Partial<TaskRequest>, onEnd: () => void = () => {}) =>
    client.run({ module, args: ["guest", "exit", "0"], ...fields }, liveIo(undefined)).finally(onEnd);
  const free = () => {
    io.stdin.end();
    return first;
  };
  return { cluster, run, free, module, [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose]() };
}

Deno.test("tasks with priority overtake those that wait without it", async () => {
  await using busy = await busyCluster();
  const order: string[] = [];
  const normal = [1, 2, 3].map((i) => busy.run({}, () => order.push(`normal ${i}`)));
  await until(() => busy.cluster.host.broker.stats.queued === 3, 10_000);
  const urgent = [1, 2].map((i) => busy.run({ priority: true }, () => order.push(`urgent ${i}`)));
  await until(() => busy.cluster.host.broker.stats.queued === 5, 10_000);
  await busy.free();
  await Promise.all([...normal, ...urgent]);
  deepStrictEqual(order, ["urgent 1", "urgent 2", "normal 1", "normal 2", "normal 3"]);
});

Deno.test("an immediate task is rejected at once while every slot is taken", async () => {
  await using busy = await busyCluster();
  const { outcome, attempts } = await busy.run({ immediate: true });
  deepStrictEqual([outcome.reason, outcome.status, attempts], ["rejected", 125, 0]);
  match(outcome.message, /idle/);
  strictEqual(busy.cluster.host.broker.stats.queued, 0);
  const url = `http://127.0.0.1:${busy.cluster.port}`;
  const submitted = await runCommand(["submit", "--url", url, "--immediate", busy.module]);
  strictEqual(submitted.code, 125);
  await busy.free();
  deepStrictEqual((await busy.run({ immediate: true })).outcome, exited(0));
});

Deno.test("a deadline ends a waiting task with 124, and a running one", async () => {
  await using busy = await busyCluster();
  const waiting = await busy.run({ deadline: Date.now() + 300 });
  deepStrictEqual([waiting.outcome.reason, waiting.outcome.status, waiting.attempts], ["timeout", 124, 0]);
  match(waiting.outcome.message, /deadline/);
  const past = await busy.run({ deadline: Date.now() - 1_000 });
  deepStrictEqual([past.outcome.reason, past.attempts], ["timeout", 0]);
  await busy.free();
  const running = await busy.run({ args: ["guest", "loop"], deadline: Date.now() + 1_000 });
  deepStrictEqual([running.outcome.reason, running.outcome.status, running.attempts], ["timeout", 124, 1]);
  deepStrictEqual((await busy.run({})).outcome, exited(0));
});

Deno.test("a task waits for a provider with its labels, and says what is missing", async () => {
  await using busy = await busyCluster();
  await busy.free();
  for (let i = 0; i < 3; i++) strictEqual((await busy.run({ require: { zone: "a" } })).provider, "only");
  const nobody = await busy.run({ require: { zone: "b" }, deadline: Date.now() + 300 });
  strictEqual(nobody.outcome.status, 124);
  const atOnce = await busy.run({ require: { zone: "b" }, immediate: true });
  deepStrictEqual([atOnce.outcome.reason, atOnce.outcome.status], ["rejected", 125]);
  match(atOnce.outcome.message, /no provider has label zone=b/);
  const waiting = busy.run({ require: { zone: "b" } });
  await until(() => busy.cluster.host.broker.stats.queued === 1, 10_000);
  await busy.cluster.provider({ name: "other", labels: { zone: "b" } });
  strictEqual((await waiting).provider, "other");
});
