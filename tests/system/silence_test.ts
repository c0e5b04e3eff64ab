/** Peers that fall silent, each for as long as the protocol gives it: all at the same time, because that is long. */

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { WasimoffError } from "../../core/errors.ts";
import { exited } from "../../core/outcome.ts";
import { slotsOf } from "../support/child_processes.ts";
import { HostCluster } from "../support/host_cluster.ts";
import { liveIo, LiveStdin } from "../support/live_streams.ts";
import { attemptResult, openRawProvider } from "../support/raw_provider.ts";
import { closeCodeOf, upgradeByHand } from "../support/raw_websocket.ts";
import { CommandProcess } from "../support/real_cluster.ts";
import { isAlive, until } from "../support/real_slots.ts";

/** A busy machine may be late, but not by this much. */
const SLACK_MS = 3_000;

/** A provider with two slots as a process of its own. */
async function providerProcess(cluster: HostCluster, name: string): Promise<CommandProcess> {
  const url = `http://127.0.0.1:${cluster.port}`;
  const provider = new CommandProcess(["provider", "--url", url, "-j", "2", "--name", name]);
  await provider.said(/provider is ready/);
  return provider;
}

/** A task that copies stdin to stdout, and the times at which its attempts began, by provider. */
async function startEcho(cluster: HostCluster) {
  const client = await cluster.client();
  const io = liveIo(new LiveStdin());
  const startedAt = new Map<string, number>();
  const run = client.run({ module: await cluster.store(), args: ["guest", "echo"] }, io, {
    onProgress: ({ state, provider }) => {
      if (state === "running") startedAt.set(provider, performance.now());
    },
  });
  io.stdin.write("first\n");
  await io.stdout.has("first\n");
  return { client, io, run, startedAt, module: await cluster.store() };
}

async function killedProvider(): Promise<void> {
  await using cluster = await HostCluster.start();
  await using doomed = await providerProcess(cluster, "doomed");
  const { io, run, startedAt } = await startEcho(cluster);
  await cluster.provider({ name: "other" });
  const slots = slotsOf(doomed.pid);
  strictEqual(slots.length, 2);

  doomed.kill("SIGKILL");
  await doomed.status;
  const killedAt = performance.now();
  await until(() => !slots.some(isAlive), 1_000 + SLACK_MS);
  await until(() => startedAt.has("other"), 11_000 + SLACK_MS);
  ok(startedAt.get("other")! - killedAt < 11_000 + SLACK_MS);
  io.stdin.write("second\n");
  io.stdin.end();
  const { outcome, provider, attempts } = await run;
  deepStrictEqual([outcome, provider, attempts], [exited(0), "other", 2]);
  strictEqual(io.stdout.text, "first\nsecond\n");
}

async function stoppedProvider(): Promise<void> {
  await using cluster = await HostCluster.start();
  await using stopped = await providerProcess(cluster, "stopped");
  const { io, run, startedAt, client, module } = await startEcho(cluster);
  await cluster.provider({ name: "other", slots: 2 });
  const view = () => cluster.host.broker.providers().find(({ name }) => name === "stopped");

  stopped.kill("SIGSTOP");
  const stoppedAt = performance.now();
  // It has a free slot and knows the module, but gets nothing more.
  await until(() => view()!.suspect, 5_000 + SLACK_MS);
  const meanwhile = await client.run({ module, args: ["guest", "exit", "3"] }, liveIo(undefined));
  deepStrictEqual([meanwhile.provider, meanwhile.attempts, meanwhile.outcome], ["other", 1, exited(3)]);

  io.stdin.write("second\n"); // waits in the socket of the stopped one
  await until(() => startedAt.has("other"), 21_000 + SLACK_MS);
  ok(startedAt.get("other")! - stoppedAt < 21_000 + SLACK_MS);
  strictEqual(view(), undefined);
  await io.stdout.has("second\n");
  stopped.kill("SIGCONT"); // what it still says of the task belongs to a dead session
  await until(() => view() !== undefined, 15_000);
  io.stdin.write("third\n");
  io.stdin.end();
  const { outcome, provider, attempts } = await run;
  deepStrictEqual([outcome, provider, attempts], [exited(0), "other", 2]);
  strictEqual(io.stdout.text, "first\nsecond\nthird\n");

  const both = await Promise.all(
    [1, 2, 3, 4].map(() => client.run({ module, args: ["guest", "exit", "0"] }, liveIo(undefined))),
  );
  ok(both.some(({ provider }) => provider === "stopped"), "it serves again");
}

async function stalledConnections(): Promise<void> {
  await using cluster = await HostCluster.start();
  const [toClient, toProvider] = [await cluster.proxy(), await cluster.proxy()];
  await cluster.provider({ port: toProvider.port });
  const client = await cluster.client({ port: toClient.port });
  const io = liveIo(new LiveStdin());
  const run = client.run({ module: await cluster.store(), args: ["guest", "echo"] }, io);
  io.stdin.write("first\n");
  await io.stdout.has("first\n");
  toClient.stall();
  toProvider.stall();
  const stalledAt = performance.now();
  io.stdin.write("second\n");
  await io.stdout.has("second\n");
  const tookMs = performance.now() - stalledAt;
  ok(tookMs > 5_000 && tookMs < 12_000 + SLACK_MS, `it took ${tookMs} ms`);
  io.stdin.end();
  const { outcome, attempts } = await run;
  deepStrictEqual([outcome, attempts], [exited(0), 1]);
  strictEqual(io.stdout.text, "first\nsecond\n");
}

async function absentBroker(): Promise<void> {
  const start = async (listen: string) => {
    const broker = new CommandProcess(["broker", "--http", listen, "--drain", "1s"]);
    const [, url] = await broker.said(/ready at (http:\S+)/);
    return { broker, url: url! };
  };
  const { broker: first, url } = await start("127.0.0.1:0");
  await using _first = first;
  await using provider = new CommandProcess(["provider", "--url", url, "-j", "1"]);
  await provider.said(/provider is ready/);
  first.kill("SIGKILL");
  await first.status;
  await provider.said(/peer has been away for 10 s/);
  await provider.said(/trying again.*nothing listens there/); // for ever, but not in a hurry
  const { broker: second } = await start(new URL(url).host);
  await using _second = second;
  await until(() => provider.log.split("provider is ready").length === 3, 20_000);
}

async function unansweredCancel(): Promise<void> {
  await using cluster = await HostCluster.start();
  const asked = Promise.withResolvers<void>();
  await using _deaf = await openRawProvider(cluster.port, { name: "deaf", slots: 1 }, () => {
    asked.resolve();
    return new Promise(() => {});
  });
  const client = await cluster.client();
  const cancel = new AbortController();
  const run = client.run({ module: await cluster.store(), args: ["x"] }, liveIo(undefined), {
    signal: cancel.signal,
  });
  await asked.promise;
  cancel.abort(new WasimoffError("canceled", "enough"));
  const cancelledAt = performance.now();
  const { outcome } = await run;
  const tookMs = performance.now() - cancelledAt;
  ok(tookMs > 9_000 && tookMs < 10_000 + SLACK_MS, `it took ${tookMs} ms`);
  deepStrictEqual([outcome.reason, outcome.status], ["cancelled", 143]);
  match(outcome.message, /"deaf" did not acknowledge within 10 s/);
}

async function outputWithoutEnd(): Promise<void> {
  await using cluster = await HostCluster.start();
  const asked = Promise.withResolvers<void>();
  await using _liar = await openRawProvider(cluster.port, { name: "liar", slots: 1 }, ({ attempt }) => {
    asked.resolve();
    return Promise.resolve(attemptResult(attempt.attempt, 0, { stdout: 5n }));
  });
  const client = await cluster.client();
  const io = liveIo(undefined);
  const task = { module: await cluster.store(), args: ["guest", "exit", "6"], timeoutMs: 100 };
  const run = client.run(task, io);
  await asked.promise;
  await cluster.provider({ name: "honest" });
  const { outcome, provider, attempts } = await run;
  deepStrictEqual([outcome, provider, attempts], [exited(6), "honest", 2]);
  strictEqual(io.stdout.text, "");
}

async function silentConnections(): Promise<void> {
  await using cluster = await HostCluster.start();
  await cluster.provider();
  const client = await cluster.client();
  const module = await cluster.store();
  const begin = performance.now();
  const silent = async () => {
    const { socket } = await upgradeByHand(cluster.port, "/api/client/ws");
    using _ = socket;
    return await closeCodeOf(socket);
  };
  let all = false;
  const closing = Promise.all(Array.from({ length: 2_000 }, silent)).finally(() => all = true);
  do {
    const { outcome } = await client.run({ module, args: ["guest", "exit", "1"] }, liveIo(undefined));
    deepStrictEqual(outcome, exited(1));
  } while (!all);
  deepStrictEqual(new Set(await closing), new Set([1011]));
  ok(performance.now() - begin > 4_900);
  strictEqual(cluster.host.sessions, 2);
}

/** What each has to show, by name. */
const SCENARIOS: Readonly<Record<string, () => Promise<void>>> = {
  "a killed provider's slots are gone within 1 s, its task is elsewhere within 11 s": killedProvider,
  "a stopped provider gets nothing after 5 s, its task is elsewhere within 21 s": stoppedProvider,
  "connections without a hello are closed after 5 s, thousands of them too": silentConnections,
  "a task goes on over connections that stalled, on others": stalledConnections,
  "a provider finds a broker that was away for longer than its lease": absentBroker,
  "a cancel that nobody acknowledges ends its task after 10 s": unansweredCancel,
  "a success whose output never ends is none": outputWithoutEnd,
};

Deno.test(`silent peers: ${Object.keys(SCENARIOS).join("; ")}`, async () => {
  const failures: string[] = [];
  await Promise.all(
    Object.entries(SCENARIOS).map(async ([name, scenario]) => {
      await scenario().catch((error) => failures.push(`${name}: ${error.stack}`));
    }),
  );
  deepStrictEqual(failures, []);
});
