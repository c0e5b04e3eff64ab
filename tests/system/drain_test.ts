/** Brokers and providers that are told to leave while a task runs. */

import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { exited } from "../../core/outcome.ts";
import { CommandRun, runCommand } from "../support/command_run.ts";
import { HostCluster } from "../support/host_cluster.ts";
import { LiveStdin } from "../support/live_streams.ts";
import { TextSink } from "../support/memory_cluster.ts";
import { CommandProcess, RealCluster } from "../support/real_cluster.ts";
import { until } from "../support/real_slots.ts";

const EXAMPLES = new URL("../../examples/", import.meta.url).pathname;
const UPCASE = `${EXAMPLES}upcase/upcase.wasm`;
const TICKER = `${EXAMPLES}ticker/ticker.wasm`;

Deno.test("a provider told to leave ends its task, gets no other, and exits 0", async () => {
  await using cluster = await RealCluster.start();
  const leaving = await cluster.provider("-j", "2", "--name", "leaving");
  const at = ["submit", "--url", cluster.url, "--json"];
  await using ticking = new CommandRun([...at, TICKER, "--", "10", "100"]);
  await ticking.said(/tick 1 /);
  await cluster.provider("-j", "1", "--name", "staying");

  leaving.kill("SIGTERM");
  await leaving.said(/draining/);
  const other = await runCommand([...at, UPCASE], { stdin: "x" });
  match(other.stdout, /"provider":"staying"/);
  const { code, stdout } = await ticking.end();
  strictEqual(code, 0);
  match(stdout, /tick 10 of 10/);
  match(stdout, /"provider":"leaving"/);
  strictEqual((await leaving.status).code, 0);
});

Deno.test("a broker told to leave waits for its tasks and takes no other", async () => {
  await using cluster = await RealCluster.start("--drain", "30s");
  await cluster.provider("-j", "2");
  const at = ["submit", "--url", cluster.url];
  await using ticking = new CommandRun([...at, TICKER, "--", "12", "100"]);
  await ticking.said(/tick 1 /);
  cluster.broker.kill("SIGTERM");
  await cluster.broker.said(/draining/);
  const refused = await runCommand([...at, UPCASE], { stdin: "x" });
  strictEqual(refused.code, 125);
  match(refused.stderr, /broker is draining: try again later/);
  const { code, stdout } = await ticking.end();
  strictEqual(code, 0);
  match(stdout, /tick 12 of 12/);
  strictEqual((await cluster.broker.status).code, 0);
});

Deno.test("a broker waits for --drain at most, and its client is told", async () => {
  await using cluster = await RealCluster.start("--drain", "100ms");
  await cluster.provider("-j", "1");
  await using ticking = new CommandRun(["submit", "--url", cluster.url, TICKER, "--", "1000", "50"]);
  await ticking.said(/tick 1 /);
  cluster.broker.kill("SIGTERM");
  const { code, stderr } = await ticking.end();
  strictEqual(code, 125);
  match(stderr, /broker is shutting down/);
  strictEqual((await cluster.broker.status).code, 0);
});

Deno.test("a second signal ends a broker and a provider at once", async () => {
  await using cluster = await RealCluster.start("--drain", "60s");
  const provider = await cluster.provider("-j", "1");
  await using ticking = new CommandRun(["submit", "--url", cluster.url, TICKER, "--", "1000", "50"]);
  await ticking.said(/tick 1 /);
  for (const server of [provider, cluster.broker] satisfies CommandProcess[]) {
    server.kill("SIGTERM");
    await server.said(/draining/);
    server.kill("SIGTERM");
    strictEqual((await server.status).code, 143);
  }
});

/** Takes the first bytes and no more until it is released. */
class SlowSink extends TextSink {
  readonly released = Promise.withResolvers<void>();

  override async write(chunk: Uint8Array): Promise<void> {
    super.write(chunk);
    await this.released.promise;
  }
}

/** Runs a guest that prints more than its reader takes, until the attempt has ended all the same. */
async function printTooMuch(cluster: HostCluster, bytes: number) {
  const text = "x".repeat(bytes);
  const stdin = new LiveStdin();
  stdin.write(text);
  stdin.end();
  const stdout = new SlowSink();
  const client = await cluster.client();
  const run = client.run({ module: await cluster.store(), args: ["guest", "echo"] }, {
    stdin,
    stdout,
    stderr: new TextSink(),
  });
  return { text, stdout, run };
}

Deno.test("a broker told to leave still sends the output that its clients have not read yet", async () => {
  await using cluster = await HostCluster.start();
  await cluster.provider();
  const { text, stdout, run } = await printTooMuch(cluster, 100_000);
  await until(() => cluster.host.broker.stats.totals.finished.exit === 1, 10_000);
  const left = cluster.host.drain(AbortSignal.timeout(20_000)).then(() => cluster.host.close());
  stdout.released.resolve();
  deepStrictEqual((await run).outcome, exited(0));
  strictEqual(stdout.text.length, text.length);
  await left;
});
