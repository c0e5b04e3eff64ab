/** What becomes of a task, and of its CPU, when nobody wants it any more. */

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { serveClient } from "../../core/broker/endpoint_v2_client.ts";
import { WasimoffError } from "../../core/errors.ts";
import { exited } from "../../core/outcome.ts";
import { SUBPROTOCOL_V2 } from "../../core/protocol/limits.ts";
import { SessionAcceptor } from "../../core/session/acceptor.ts";
import { silent } from "../../core/log.ts";
import { isFileRef } from "../../core/storage/file_store.ts";
import { slotsOf } from "../support/child_processes.ts";
import { CommandRun } from "../support/command_run.ts";
import { HostCluster } from "../support/host_cluster.ts";
import { liveIo } from "../support/live_streams.ts";
import { netTest, type TestNet } from "../support/open_server.ts";
import { isAlive, until } from "../support/real_slots.ts";

Deno.test("a cancelled busy loop frees its CPU within 50 ms of the decision", async () => {
  await using cluster = await HostCluster.start();
  await cluster.provider();
  const [module, client] = [await cluster.store(), await cluster.client()];
  const tookMs: number[] = [];
  for (let i = 0; i < 5; i++) {
    const [io, cancel] = [liveIo(undefined), new AbortController()];
    const run = client.run({ module, args: ["guest", "loop"] }, io, { signal: cancel.signal });
    await io.stdout.has("looping");
    const slots = slotsOf(Deno.pid);
    strictEqual(slots.length, 1);
    cancel.abort(new WasimoffError("canceled", "enough"));
    const cancelledAt = performance.now();
    await until(() => !isAlive(slots[0]!), 10_000);
    tookMs.push(performance.now() - cancelledAt);
    const { outcome } = await run;
    deepStrictEqual([outcome.reason, outcome.status], ["cancelled", 143]);
    match(outcome.message, /acknowledged by provider "p"/);
  }
  // The best of them: a busy machine may be slow now and then.
  ok(Math.min(...tookMs) < 50, `it took ${tookMs.map(Math.round)} ms`);
});

Deno.test("submit that is interrupted exits with 130 when its slot is gone", async () => {
  await using cluster = await HostCluster.start();
  await cluster.provider();
  const module = await cluster.store();
  const url = `http://127.0.0.1:${cluster.port}`;
  await using submit = new CommandRun(["submit", "--url", url, module, "--", "loop"]);
  await submit.said(/looping/);
  const [slot] = slotsOf(Deno.pid);
  submit.kill("SIGINT");
  strictEqual((await submit.end()).code, 130);
  await until(() => !isAlive(slot!), 1_000);
  strictEqual(cluster.host.broker.stats.running, 0);
});

/** Another door to the same broker, where the sessions of clients outlive their connections by `leaseMs`. */
function shortLeases(net: TestNet, cluster: HostCluster, leaseMs: number) {
  const acceptor = new SessionAcceptor({ agent: "test", capabilities: [], logger: silent });
  const { broker, files } = cluster.host;
  return net.serve({
    fetch: () => new Response(null, { status: 404 }),
    webSocketRoutes: {
      "/api/client/ws": {
        protocols: [SUBPROTOCOL_V2],
        authorize: () => {},
        accept: (connection) => {
          void acceptor.accept(connection, {
            endpoint: "client",
            peer: null,
            leaseMs,
            authenticate: () => {},
            opened: (session) =>
              serveClient(session, {
                broker,
                resolve: (ref) => {
                  if (isFileRef(ref)) return Promise.resolve(ref);
                  throw new WasimoffError("not_found", "only references are known here");
                },
                pin: (ref) => files.pin(ref),
              }),
          });
        },
      },
    },
  });
}

netTest("the task of a killed client is cancelled when its session's lease is over", async (net) => {
  await using cluster = await HostCluster.start();
  await cluster.provider();
  const module = await cluster.store();
  const leaseMs = 500;
  await using server = await shortLeases(net, cluster, leaseMs);
  const url = `http://127.0.0.1:${server.address.port}`;
  await using submit = new CommandRun(["submit", "--url", url, module, "--", "loop"]);
  await submit.said(/looping/);
  const [slot] = slotsOf(Deno.pid);
  submit.kill("SIGKILL");
  await submit.end();
  const killedAt = performance.now();
  await until(() => !isAlive(slot!), 10_000);
  ok(performance.now() - killedAt > leaseMs / 2, "it was given time to come back");
  await until(() => cluster.host.broker.stats.running === 0, 10_000);
  strictEqual(cluster.host.broker.stats.totals.finished.cancelled, 1);
  const client = await cluster.client();
  const next = await client.run({ module, args: ["guest", "exit", "4"] }, liveIo(undefined));
  deepStrictEqual(next.outcome, exited(4));
});
