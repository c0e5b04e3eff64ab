/** Existing providers at our broker, step by step as wasimoff-v1 4 has it, in both encodings. */

import type { JsonObject } from "@bufbuild/protobuf";
import { deepStrictEqual, match, ok as assertOk, rejects, strictEqual } from "node:assert/strict";
import { Tokens } from "../../core/broker/identity/tokens.ts";
import type { Client } from "../../core/client/client.ts";
import type { TaskRequest } from "../../core/client/task_request.ts";
import { WasimoffError } from "../../core/errors.ts";
import { startHash } from "../../core/host/hash.ts";
import { exited } from "../../core/outcome.ts";
import { kindOf } from "../support/envelope_json.ts";
import { GUEST, HostCluster } from "../support/host_cluster.ts";
import { liveIo } from "../support/live_streams.ts";
import { upgradeByHand } from "../support/raw_websocket.ts";
import { until } from "../support/real_slots.ts";
import { ok, ScriptedProviderV1 } from "../support/scripted_provider_v1.ts";

async function run(client: Client, task: TaskRequest, signal?: AbortSignal) {
  const io = liveIo(undefined);
  const result = await client.run(task, io, signal === undefined ? {} : { signal });
  return { ...result, stdout: io.stdout.text, stderr: io.stderr.text };
}

const forever = () => new Promise<null>(() => {});

for (const encoding of ["binary", "json"] as const) {
  Deno.test(`a provider is listed, seated, told and asked in the order of the specification (${encoding})`, async () => {
    await using cluster = await HostCluster.start();
    const module = await cluster.store();
    await using provider = await ScriptedProviderV1.open(cluster.port, { encoding, slots: 3 });
    const [first, second] = provider.received;
    deepStrictEqual(first, {
      sequence: "1",
      type: "Request",
      payload: { "@type": "wasimoff/wasimoff.v1.Filesystem.Listing.Request" },
    });
    strictEqual(kindOf(second!), "Event.ClusterInfo");
    strictEqual(second!.payload!["providers"], 1);
    const [view] = cluster.host.broker.providers();
    deepStrictEqual([view!.name, view!.generation, view!.slots], ["old", 1, 3]);
    const client = await cluster.client();
    const { outcome, stdout, provider: name } = await run(client, { module, args: ["guest", "exit", "-1"] });
    deepStrictEqual([outcome, stdout, name], [exited(-1), "guest exit -1", "old"]);
    const { payload, sequence } = await provider.until((sent) => kindOf(sent) === "Task.Wasip1.Request");
    const { info, params } = payload as { info: JsonObject; params: JsonObject };
    strictEqual(sequence, "2");
    assertOk(String(info["id"]).length > 0);
    deepStrictEqual(info["provider"], "old");
    deepStrictEqual(params["binary"], { ref: module, media: "application/wasm" });
    deepStrictEqual(params["args"], ["guest", "exit", "-1"]);
    strictEqual(params["rootfs"], undefined);
    const throughput = await provider.until((sent) => kindOf(sent) === "Event.Throughput");
    strictEqual(throughput.type, "Event");
    strictEqual(provider.received.some(({ error }) => error !== undefined), false);
  });
}

Deno.test("a provider fetches files without a token as far as it is let in without one", async () => {
  await using cluster = await HostCluster.start();
  const module = await cluster.store();
  const fetched: unknown[] = [];
  await using _provider = await ScriptedProviderV1.open(cluster.port, {
    run: async ({ params }) => {
      const { ref } = params["binary"] as { ref: string };
      const response = await fetch(`http://127.0.0.1:${cluster.port}/api/storage/${ref}`);
      fetched.push(response.status, response.headers.get("x-wasimoff-ref"), (await response.bytes()).length);
      return ok(0);
    },
  });
  await run(await cluster.client(), { module, args: ["x"] });
  deepStrictEqual(fetched, [200, module, GUEST.length]);
});

Deno.test("a provider that would need a token to fetch files gets each once, inside a task", async () => {
  const tokens = Tokens.parse("secret\n", startHash);
  await using cluster = await HostCluster.start({ tokens });
  const module = await cluster.store();
  const open = (query: string, headers: Record<string, string> = {}) =>
    ScriptedProviderV1.open(cluster.port, {
      query,
      headers: { "x-forwarded-for": "10.0.0.9", ...headers },
      run: ({ params }) => ok(0, Object.keys(params["binary"] as JsonObject).join()),
    });
  for (const query of ["", "&token=wrong"]) await rejects(open(query), /401/);
  await using _provider = await open("&token=secret");
  const client = await cluster.client();
  const first = await run(client, { module, args: ["x"] });
  const second = await run(client, { module, args: ["x"] });
  deepStrictEqual([first.stdout, second.stdout], ["ref,media,blob", "ref,media"]);
  await using _other = await open("", { authorization: `Basic ${btoa(":secret")}` });
  await using _third = await open("", { authorization: `Basic ${btoa("secret:")}` });
  strictEqual(cluster.host.broker.providers().length, 3);
});

Deno.test("without a User-Agent a provider of v1 gets 400, one of v2 does not", async () => {
  await using cluster = await HostCluster.start();
  const upgrade = async (protocol: string) => {
    const { socket, status } = await upgradeByHand(cluster.port, "/api/provider/ws", {
      "Sec-WebSocket-Protocol": protocol,
    });
    socket.close();
    return status;
  };
  match(await upgrade("wasimoff_provider_v1_json"), /^HTTP\/1.1 400 /);
  match(await upgrade("wasimoff_v2"), /^HTTP\/1.1 101 /);
});

Deno.test("answers come in any order and under any type name", async () => {
  await using cluster = await HostCluster.start();
  const module = await cluster.store();
  const first = Promise.withResolvers<void>();
  await using _provider = await ScriptedProviderV1.open(cluster.port, {
    slots: 2,
    prefix: "",
    run: async ({ args }) => {
      if (args[1] === "first") await first.promise;
      else queueMicrotask(first.resolve);
      return ok(0, args[1]!);
    },
  });
  const client = await cluster.client();
  const [one, two] = await Promise.all(
    ["first", "second"].map((word) => run(client, { module, args: ["x", word] })),
  );
  deepStrictEqual([one!.stdout, two!.stdout], ["first", "second"]);
});

Deno.test("a cancel waits for the echo, and the late answer is dropped", async () => {
  await using cluster = await HostCluster.start();
  const module = await cluster.store();
  const asked = Promise.withResolvers<string>();
  await using provider = await ScriptedProviderV1.open(cluster.port, {
    run: ({ info, args }) => {
      if (args[1] !== "hang") return ok(0);
      asked.resolve(String(info["id"]));
      return forever();
    },
  });
  const client = await cluster.client();
  const leave = new AbortController();
  const running = run(client, { module, args: ["x", "hang"] }, leave.signal);
  const id = await asked.promise;
  leave.abort(new WasimoffError("canceled", "enough"));
  const { outcome } = await running;
  strictEqual(outcome.message, 'cancelled: acknowledged by provider "old"');
  const cancel = await provider.until((sent) => kindOf(sent) === "Task.Cancel");
  deepStrictEqual([cancel.payload!["id"], cancel.payload!["reason"]], [id, "context canceled"]);
  const request = await provider.until((sent) => kindOf(sent) === "Task.Wasip1.Request");
  const payload = provider.payload("Task.Wasip1.Response", { error: "undefined" });
  provider.send({ sequence: request.sequence!, type: "Response", payload });
  deepStrictEqual((await run(client, { module, args: ["x"] })).outcome, exited(0));
});

Deno.test("tasks of a provider that leaves move at once; v1 stands in for v2 as far as it fits", async () => {
  await using cluster = await HostCluster.start();
  const module = await cluster.store();
  const asked = Promise.withResolvers<void>();
  const leaver = await ScriptedProviderV1.open(cluster.port, {
    name: "leaver",
    run: () => {
      asked.resolve();
      return forever();
    },
  });
  const client = await cluster.client();
  const running = run(client, { module, args: ["guest", "exit", "5"] });
  const waiting = run(client, { module, args: ["guest", "exit", "6"], memoryBytes: 64 * 1024 * 1024 });
  await asked.promise;
  await using stayer = await ScriptedProviderV1.open(cluster.port, { name: "stayer" });
  await leaver[Symbol.asyncDispose]();
  const { outcome, provider, attempts } = await running;
  deepStrictEqual([outcome, provider, attempts], [exited(5), "stayer", 2]);
  await stayer.until((sent) => kindOf(sent) === "Event.ClusterInfo" && sent.payload!["providers"] === 1);
  await cluster.provider({ name: "new" });
  deepStrictEqual((await waiting).provider, "new");
  deepStrictEqual((await run(client, { module, args: ["guest", "exit", "7"] })).provider, "new");
});

Deno.test("a stdin beyond 16 MiB goes to a provider of v2, whole, at no attempt's cost", async () => {
  await using cluster = await HostCluster.start();
  const module = await cluster.store();
  await using old = await ScriptedProviderV1.open(cluster.port);
  const client = await cluster.client();
  const chunks = new Array<Uint8Array>(17).fill(new Uint8Array(1024 * 1024).fill(120));
  const stdin = { read: () => Promise.resolve(chunks.shift() ?? null), cancel: () => {} };
  let bytes = 0;
  const stdout = {
    write: (chunk: Uint8Array) => void (bytes += chunk.length),
    end: () => {},
    abort: () => {},
  };
  const task = { module, args: ["guest", "echo"], attempts: 1 };
  const running = client.run(task, { stdin, stdout, stderr: liveIo(undefined).stderr });
  await until(() => cluster.host.broker.stats.queued === 1, 20_000);
  strictEqual(old.received.some((sent) => kindOf(sent) === "Task.Wasip1.Request"), false);
  await cluster.provider({ name: "new" });
  const { outcome, provider, attempts } = await running;
  deepStrictEqual([outcome, provider, attempts, bytes], [exited(0), "new", 1, 17 * 1024 * 1024]);
});

Deno.test("a broker that leaves says so to its providers", async () => {
  const cluster = await HostCluster.start();
  const provider = await ScriptedProviderV1.open(cluster.port);
  await cluster[Symbol.asyncDispose]();
  deepStrictEqual(await provider.closed, { code: 1001, reason: "broker is shutting down" });
});
