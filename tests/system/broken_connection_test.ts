/** What tasks notice of TCP connections that break: nothing. */

import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { exited } from "../../core/outcome.ts";
import { HostCluster } from "../support/host_cluster.ts";
import { liveIo, LiveStdin } from "../support/live_streams.ts";

const LINES_PER_ROUND = 300;

const line = (round: number, number: number) => `round ${round}, line ${number}: ${"x".repeat(1_000)}\n`;

Deno.test("a task that reads and prints goes on over cut connections of its client and its provider", async () => {
  await using cluster = await HostCluster.start();
  const [toClient, toProvider] = [await cluster.proxy(), await cluster.proxy()];
  await cluster.provider({ port: toProvider.port });
  const client = await cluster.client({ port: toClient.port });
  const io = liveIo(new LiveStdin());
  const run = client.run({ module: await cluster.store(), args: ["guest", "echo"] }, io);
  let written = "";
  const cuts = [[toClient], [toProvider], [toClient, toProvider], [toClient], [toProvider]];
  for (const [round, proxies] of cuts.entries()) {
    for (let number = 0; number < LINES_PER_ROUND; number++) {
      written += line(round, number);
      io.stdin.write(line(round, number));
      // Bytes are on their way in both directions.
      if (number === LINES_PER_ROUND / 2) await io.stdout.has(line(round, 0));
      if (number === LINES_PER_ROUND / 2) { for (const proxy of proxies) proxy.cut(); }
    }
    await io.stdout.has(line(round, LINES_PER_ROUND - 1)); // everybody has come back
  }
  io.stdin.end();
  const { outcome, attempts } = await run;
  deepStrictEqual(outcome, exited(0));
  strictEqual(attempts, 1);
  strictEqual(io.stdout.state, "ended");
  ok(io.stdout.text === written, `${io.stdout.text.length} characters came of ${written.length}`);
  deepStrictEqual([toClient.accepted, toProvider.accepted], [4, 5], "each came back three times; one fetch");
});

Deno.test("a request under way when its connection breaks is neither lost nor run twice", async () => {
  await using cluster = await HostCluster.start();
  const proxy = await cluster.proxy();
  await cluster.provider();
  const client = await cluster.client({ port: proxy.port });
  const io = liveIo(new LiveStdin());
  const run = client.run({ module: await cluster.store(), args: ["guest", "exit", "7"] }, io);
  proxy.cut(); // the request may be lost on its way, or the answer
  const { outcome, attempts } = await run;
  deepStrictEqual([outcome, attempts], [exited(7), 1]);
  strictEqual(proxy.accepted, 2);
});
