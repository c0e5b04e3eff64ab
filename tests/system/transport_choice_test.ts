/** How clients and providers reach a broker whose ways are open, blocked or cut. */

import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import { Client } from "../../core/client/client.ts";
import { connectClient } from "../../core/host/connect_client.ts";
import { anyAccess, type BrokerAccess, BrokerDialer } from "../../core/host/dial_broker.ts";
import { delay } from "../../core/delay.ts";
import { Logger, silent } from "../../core/log.ts";
import { exited } from "../../core/outcome.ts";
import { runCommand } from "../support/command_run.ts";
import { startEncrypted } from "../support/encrypted_cluster.ts";
import { brokerUrls, HostCluster } from "../support/host_cluster.ts";
import { liveIo, LiveStdin } from "../support/live_streams.ts";
import { netTest } from "../support/open_server.ts";
import { UdpProxy } from "../support/udp_proxy.ts";
import { within } from "../support/within.ts";

const NOOP = new URL("../../examples/noop/noop.wasm", import.meta.url).pathname;
const { signal } = new AbortController();
/** In this time both sides give up a connection whose peer says nothing any more. */
const CLOSED_MS = 4_000;

function over(transport: BrokerAccess["transport"]): BrokerAccess {
  return { ...anyAccess(), transport };
}

/** Knows that this transport was the best at a broker. */
function preferring(transport: "websocket" | "webtransport", port: number): BrokerAccess {
  const access = anyAccess();
  access.choice.won(brokerUrls(port).http.href, transport);
  return access;
}

/** A logger, and the transports of which it was told that they connected. */
function connections(): { logger: Logger; transports: unknown[] } {
  const transports: unknown[] = [];
  const logger = new Logger((_, message, { transport }) => {
    if (message === "connected to the broker") transports.push(transport);
  });
  return { logger, transports };
}

async function connect(port: number, access: BrokerAccess, logger = silent): Promise<Client & Disposable> {
  const options = { broker: brokerUrls(port), token: null, agent: "test", access, logger, signal };
  const client = await within(connectClient(options), "a connection");
  ok(client instanceof Client);
  return Object.assign(client, { [Symbol.dispose]: () => client.close() });
}

/** A broker whose QUIC is only reached through a relay. */
async function behindRelay(): Promise<{ cluster: HostCluster; relay: UdpProxy } & AsyncDisposable> {
  const relay = new UdpProxy();
  const cluster = await startEncrypted({ transportUrl: `https://127.0.0.1:${relay.port}/transport` });
  relay.target = cluster.host.quicAddress!.port;
  return {
    cluster,
    relay,
    [Symbol.asyncDispose]: async () => {
      await cluster[Symbol.asyncDispose]();
      await relay[Symbol.asyncDispose]();
    },
  };
}

Deno.test("a provider and a client do all of a task over WebTransport alone", async () => {
  await using cluster = await startEncrypted();
  await cluster.provider({ access: over("webtransport") });
  using client = await connect(cluster.port, over("webtransport"));
  const io = liveIo(new LiveStdin());
  const run = client.run({ module: await cluster.store(), args: ["guest", "echo"] }, io);
  io.stdin.write("hello\n");
  await io.stdout.has("hello\n");
  io.stdin.end();
  deepStrictEqual((await run).outcome, exited(0));
});

Deno.test("a UDP port that swallows everything costs a client nothing that it would notice", async () => {
  await using setup = await behindRelay();
  const { cluster, relay } = setup;
  relay.swallow();
  await (await connect(cluster.port, over("websocket")))[Symbol.dispose](); // loads what is needed
  const { logger, transports } = connections();
  const begunMs = performance.now();
  using _ = await connect(cluster.port, anyAccess(), logger);
  const tookMs = performance.now() - begunMs;
  ok(tookMs < 1_000, `${tookMs} ms`);
  // One that has worked before costs its head start.
  using _other = await connect(cluster.port, preferring("webtransport", cluster.port), logger);
  ok(performance.now() - begunMs - tookMs < 1_500);
  deepStrictEqual(transports, ["websocket", "websocket"]);
});

Deno.test("submit says which transport it took, and ends at once although UDP is swallowed", async () => {
  await using setup = await behindRelay();
  const { cluster, relay } = setup;
  relay.swallow();
  await cluster.provider();
  const url = `http://127.0.0.1:${cluster.port}`;
  const begunMs = performance.now();
  const { code, stderr } = await runCommand(["submit", "-v", "--url", url, NOOP]);
  strictEqual(code, 0);
  match(stderr, /^wasimoff: connected to the broker transport=websocket$/m);
  // An attempt over QUIC that goes on would hold the process for half a minute.
  ok(performance.now() - begunMs < 8_000);
});

netTest("a proxy that knows no WebSockets leaves WebTransport", async (net) => {
  await using cluster = await startEncrypted();
  const config = await (await fetch(`http://localhost:${cluster.port}/api/broker/v1/config`)).text();
  await using middlebox = await net.serve({
    fetch: (request) =>
      new URL(request.url).pathname === "/api/broker/v1/config"
        ? new Response(config)
        : new Response(null, { status: 403 }),
  });
  const { logger, transports } = connections();
  using _ = await connect(middlebox.address.port, anyAccess(), logger);
  deepStrictEqual(transports, ["webtransport"]);
  await rejects(connect(middlebox.address.port, over("websocket")), { code: "unimplemented" });
});

netTest("a way that opens and breaks at once is not tried first again", async (net) => {
  await using cluster = await startEncrypted();
  const config = await (await fetch(`http://localhost:${cluster.port}/api/broker/v1/config`)).text();
  await using middlebox = await net.serve({
    fetch: () => new Response(config),
    webSocketRoutes: {
      "/api/client/ws": {
        protocols: ["wasimoff_v2"],
        authorize: () => {},
        accept: (connection) => connection.close("unavailable", "the middlebox likes no WebSockets"),
      },
    },
  });
  const { port } = middlebox.address;
  const { logger, transports } = connections();
  const access = preferring("websocket", port);
  const dialer = new BrokerDialer({
    ...{ broker: brokerUrls(port), endpoint: "client", token: null, agent: "test", logger, access },
  });
  const first = await dialer.connect(signal);
  strictEqual(first.generation, 2);
  if (first.generation !== 2) return;
  (await first.dial(signal)).close("canceled", "seen"); // as a session would notice
  const second = await first.dial(signal);
  deepStrictEqual(transports, ["websocket", "webtransport"]);
  second.close("canceled", "seen");
});

Deno.test("a client over WebTransport that is told of no other way says why it fails", async () => {
  await using setup = await behindRelay();
  const { cluster, relay } = setup;
  relay.swallow();
  const dialer = new BrokerDialer({
    ...{ broker: brokerUrls(cluster.port), endpoint: "client", token: null, agent: "test", logger: silent },
    access: over("webtransport"),
  });
  const message = new RegExp(
    `^cannot (reach|open a session at) "https://127.0.0.1:${relay.port}/transport/client"`,
  );
  await rejects(dialer.connect(signal), { code: "unavailable", message });
});

Deno.test("a task goes on over WebSocket when nothing comes through UDP any more", async () => {
  await using setup = await behindRelay();
  const { cluster, relay } = setup;
  await cluster.provider();
  const { logger, transports } = connections();
  using client = await connect(cluster.port, preferring("webtransport", cluster.port), logger);
  const io = liveIo(new LiveStdin());
  const run = client.run({ module: await cluster.store(), args: ["guest", "echo"] }, io);
  io.stdin.write("one\n");
  await io.stdout.has("one\n");
  relay.swallow();
  io.stdin.write("two\n");
  await io.stdout.has("two\n");
  io.stdin.end();
  const { outcome, attempts } = await run;
  deepStrictEqual([outcome, attempts, io.stdout.text], [exited(0), 1, "one\ntwo\n"]);
  deepStrictEqual(transports, ["webtransport", "websocket"]);
  relay.swallow(false); // so that both ends of the old connection see its end
  await delay(CLOSED_MS);
});

Deno.test("a task goes on over WebTransport when its provider and its client lose TCP", async () => {
  await using cluster = await startEncrypted();
  const [toClient, toProvider] = [await cluster.proxy(), await cluster.proxy()];
  const of = { client: connections(), provider: connections() };
  await cluster.provider({ port: toProvider.port, access: anyAccess(), logger: of.provider.logger });
  using client = await connect(toClient.port, preferring("websocket", toClient.port), of.client.logger);
  const io = liveIo(new LiveStdin());
  const run = client.run({ module: await cluster.store(), args: ["guest", "echo"] }, io);
  io.stdin.write("one\n");
  await io.stdout.has("one\n");
  // Both know where WebTransport is from now on; then TCP is gone for good.
  for (const proxy of [toClient, toProvider]) {
    proxy.cut();
    await proxy[Symbol.asyncDispose]();
  }
  io.stdin.write("two\n");
  await io.stdout.has("two\n");
  io.stdin.end();
  const { outcome, attempts } = await run;
  deepStrictEqual([outcome, attempts, io.stdout.text], [exited(0), 1, "one\ntwo\n"]);
  strictEqual(of.client.transports.at(-1), "webtransport");
  strictEqual(of.provider.transports.at(-1), "webtransport");
});
