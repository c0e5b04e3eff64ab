/** Providers of wasimoff_v1 that lie, break the rules or do nothing: the broker goes on, and so do the honest ones. */

import { deepStrictEqual, ok as assertOk, strictEqual } from "node:assert/strict";
import type { JsonObject } from "@bufbuild/protobuf";
import type { TaskRequest } from "../../core/client/task_request.ts";
import { exited } from "../../core/outcome.ts";
import { kindOf } from "../support/envelope_json.ts";
import { HostCluster } from "../support/host_cluster.ts";
import { liveIo } from "../support/live_streams.ts";
import { attemptResult, openRawProvider } from "../support/raw_provider.ts";
import { until } from "../support/real_slots.ts";
import {
  ok,
  ScriptedProviderV1,
  type ScriptedTask,
  type ScriptOptions,
} from "../support/scripted_provider_v1.ts";

interface Case extends ScriptOptions {
  /** What it does with the first task. */
  readonly lie: (task: ScriptedTask) => JsonObject | null;
  /** How its connection ends; null when it does not. */
  readonly code?: number;
}

const answer = (task: ScriptedTask, fields: JsonObject) =>
  task.answer({ payload: task.provider.payload("Task.Wasip1.Response", fields) });
const raw = (task: ScriptedTask, data: string | Uint8Array) => {
  task.provider.sendRaw(data);
  return null;
};

const CASES: Readonly<Record<string, Case>> = {
  "answers without a result": { lie: () => ({}) },
  "answers with an empty error of the envelope": {
    lie: (task) => {
      task.answer({ error: "" });
      return null;
    },
  },
  "answers with an error of the envelope beside a payload": {
    lie: (task) => {
      task.answer({ error: "no", payload: task.provider.payload("Task.Wasip1.Response", ok(0)) });
      return null;
    },
  },
  "answers with another kind of message": {
    lie: (task) => {
      task.answer({ payload: task.provider.payload("Ping", {}) });
      return null;
    },
  },
  "answers with an unknown type": {
    encoding: "json",
    lie: (task) => {
      task.answer({ payload: { "@type": "wasimoff/wasimoff.v9.New" } });
      return null;
    },
  },
  "answers without a payload": {
    lie: (task) => {
      task.answer({});
      return null;
    },
  },
  "says that it could not find the ZIP": { lie: () => ({ error: "zip not found in storage" }) },
  "says that its worker was ended": { lie: () => ({ error: "undefined" }) },
  "sends what is no envelope": { lie: (task) => raw(task, Uint8Array.of(1, 2, 3)), code: 1011 },
  "sends an envelope of no type": {
    encoding: "json",
    lie: (task) => raw(task, '{"sequence":"1"}'),
    code: 1011,
  },
  "nests 100,000 levels deep": {
    encoding: "json",
    lie: (task) => raw(task, `{"type":"Event","a":${"[".repeat(1e5)}${"]".repeat(1e5)}}`),
    code: 1011,
  },
  "sends text where bytes belong": { lie: (task) => raw(task, "{}"), code: 1003 },
  "sends bytes where text belongs": {
    encoding: "json",
    lie: (task) => raw(task, Uint8Array.of(0x10, 3)),
    code: 1003,
  },
  "sends a frame above the limit": {
    lie: (task) => raw(task, new Uint8Array(64 * 1024 * 1024 + 1)),
    code: 1009,
  },
  "sends a frame of too many fields": {
    encoding: "json",
    lie: (task) => raw(task, `{"type":"Event","a":[${"{},".repeat(200_000)}{}]}`),
    code: 1011,
  },
};

for (const [what, { lie, code, ...options }] of Object.entries(CASES)) {
  Deno.test(`a task whose provider ${what} goes to another, and the rest goes on`, async () => {
    await using cluster = await HostCluster.start();
    const module = await cluster.store();
    const asked = Promise.withResolvers<void>();
    const liar = await ScriptedProviderV1.open(cluster.port, {
      ...options,
      name: "liar",
      run: async (task) => {
        asked.resolve();
        await honest.promise;
        return lie(task);
      },
    });
    const honest = Promise.withResolvers<void>();
    const client = await cluster.client();
    const run = (task: Partial<TaskRequest> = {}) =>
      client.run({ module, args: ["guest", "exit", "5"], ...task }, liveIo(undefined));
    const running = run();
    await asked.promise;
    await using _honest = await ScriptedProviderV1.open(cluster.port, { name: "honest" });
    honest.resolve();
    const { outcome, provider, attempts } = await running;
    deepStrictEqual([outcome, provider, attempts], [exited(5), "honest", 2]);
    if (code !== undefined) strictEqual((await liar.closed).code, code);
    await liar[Symbol.asyncDispose]();
    await using _new = await openRawProvider(
      cluster.port,
      { name: "new", slots: 1 },
      ({ attempt }) => Promise.resolve(attemptResult(attempt.attempt, 3)),
    );
    const next = await run({ deterministic: true });
    deepStrictEqual([next.outcome, next.provider], [exited(3), "new"]);
  });
}

Deno.test("further answers, events without number and JSON of a newer peer change nothing", async () => {
  await using cluster = await HostCluster.start();
  const module = await cluster.store();
  await using provider = await ScriptedProviderV1.open(cluster.port, {
    encoding: "json",
    run: (task) => {
      task.answer({ sequence: "999", error: "to nothing" });
      task.provider.send({
        type: "Event",
        payload: task.provider.payload("Event.GenericMessage", { message: "hi" }),
      });
      task.provider.send({ type: "Event", payload: { "@type": "wasimoff/wasimoff.v9.New", "x": 1 } });
      task.provider.send({ type: "Event" });
      answer(task, { ...ok(2), info: { id: "another" }, newer: { field: 1 } });
      answer(task, ok(3));
      return ok(4);
    },
  });
  const client = await cluster.client();
  for (let i = 0; i < 3; i++) {
    const { outcome, attempts } = await client.run({ module, args: ["x"] }, liveIo(undefined));
    deepStrictEqual([outcome, attempts], [exited(2), 1]);
  }
  strictEqual(cluster.host.broker.stats.totals.finished.exit, 3);
  strictEqual(provider.received.some(({ type }) => type === "Response"), false);
});

Deno.test("requests of a provider are answered as the existing broker does it", async () => {
  await using cluster = await HostCluster.start();
  await using provider = await ScriptedProviderV1.open(cluster.port, { encoding: "json" });
  provider.send({ sequence: "0", type: "Request", payload: provider.payload("Ping", {}) });
  provider.send({ sequence: "1", type: "Request" });
  const first = await provider.until(({ type, sequence }) => type === "Response" && sequence === "0");
  strictEqual(first.error, "requests not supported on provider socket");
  const second = await provider.until(({ type, sequence }) => type === "Response" && sequence === "1");
  strictEqual(second.error, "cannot unpack empty payload");
});

Deno.test("a provider is believed 1,024 slots and 1,024 files, and none of its names", async () => {
  await using cluster = await HostCluster.start();
  const name = "x".repeat(10_000);
  const files = ["task.wasm", "sha256:short", ...new Array<string>(5_000).fill(`sha256:${"a".repeat(64)}`)];
  await using provider = await ScriptedProviderV1.open(cluster.port, { name, slots: 4e9, files });
  const { broker } = cluster.host;
  strictEqual(broker.providers()[0]!.slots, 1_024);
  strictEqual(broker.providers()[0]!.name, "x".repeat(128));
  provider.event("Event.ProviderResources", { tasks: 7 });
  provider.event("Event.ProviderResources", { concurrency: 2 });
  await until(() => broker.providers()[0]!.slots === 2);
  provider.event("Event.ProviderResources", { concurrency: 0 });
  await until(() => broker.providers()[0]!.slots === 0);
});

Deno.test("a provider that claims a file which it lacks loses the task to another", async () => {
  await using cluster = await HostCluster.start();
  const module = await cluster.store();
  await using _liar = await ScriptedProviderV1.open(cluster.port, {
    name: "liar",
    files: [module],
    run: (task) => {
      task.answer({ error: "binary not found in storage" });
      return null;
    },
  });
  await using _honest = await ScriptedProviderV1.open(cluster.port, { name: "honest", slots: 9 });
  const { outcome, provider, attempts } = await (await cluster.client())
    .run({ module, args: ["guest", "exit", "5"] }, liveIo(undefined));
  deepStrictEqual([outcome, provider, attempts], [exited(5), "honest", 2]);
});

Deno.test("two providers of one name and address are two, and the end of one is not the other's", async () => {
  await using cluster = await HostCluster.start({ open: true });
  const { broker } = cluster.host;
  const options = { name: "twin", headers: { "x-real-ip": "10.0.0.1" } };
  const first = await ScriptedProviderV1.open(cluster.port, options);
  await using second = await ScriptedProviderV1.open(cluster.port, options);
  strictEqual(broker.providers().length, 2);
  await first[Symbol.asyncDispose]();
  await until(() => broker.providers().length === 1);
  const module = await cluster.store();
  const { outcome } = await (await cluster.client()).run({ module, args: ["x"] }, liveIo(undefined));
  deepStrictEqual(outcome, exited(0));
  assertOk(second.received.some((sent) => kindOf(sent) === "Task.Wasip1.Request"));
});
