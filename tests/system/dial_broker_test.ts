import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { anyAccess, BrokerDialer, type BrokerDialerOptions } from "../../core/host/dial_broker.ts";
import type { UpgradeRequest } from "../../core/host/websocket_routes.ts";
import { silent } from "../../core/log.ts";
import { MAX_FRAME_BYTES } from "../../core/protocol/limits.ts";
import type { Connection } from "../../core/session/connection.ts";
import { ConnectionRecorder } from "../support/connection_recorder.ts";
import { brokerUrls } from "../support/host_cluster.ts";
import { netTest, type TestNet } from "../support/open_server.ts";
import { ScriptedBroker } from "../support/scripted_broker_v1.ts";

const BINARY = "wasimoff_provider_v1_protobuf";
const JSON_TEXT = "wasimoff_provider_v1_json";
const { signal } = new AbortController();

/** A server that chooses the newest of its protocols, and offers no WebTransport. */
async function serve(net: TestNet) {
  const accepted: { connection: Connection; request: UpgradeRequest }[] = [];
  const server = await net.serve({
    fetch: () => new Response(null, { status: 404 }),
    webSocketRoutes: {
      "/api/client/ws": {
        protocols: ["wasimoff_v2"],
        authorize: () => {},
        accept: (connection, request) => void accepted.push({ connection, request }),
      },
    },
  });
  return { port: server.address.port, accepted, [Symbol.asyncDispose]: () => server.close() };
}

function dialer(port: number, options: Partial<BrokerDialerOptions> = {}): BrokerDialer {
  return new BrokerDialer({
    ...{ broker: brokerUrls(port), endpoint: "client", token: null, agent: "wasimoff/test", logger: silent },
    ...options,
  });
}

netTest(
  "BrokerDialer.connect() speaks v2 where it can, and its first dial takes the connection that is there",
  async (net) => {
    await using broker = await serve(net);
    const ours = dialer(broker.port, { token: "secret" });
    const reached = await ours.connect(signal);
    deepStrictEqual([reached.generation, ours.transport], [2, "websocket"]);
    if (reached.generation !== 2) return;
    const connections = [await reached.dial(signal)];
    strictEqual(broker.accepted.length, 1);
    const { headers } = broker.accepted[0]!.request;
    deepStrictEqual([headers.get("user-agent"), headers.get("authorization")], [
      "wasimoff/test",
      "Bearer secret",
    ]);
    connections.push(await reached.dial(signal));
    strictEqual(broker.accepted.length, 2);

    const ends = connections.map((connection, index) => {
      const recorder = new ConnectionRecorder();
      connection.start(recorder);
      broker.accepted[index]!.connection.start(new ConnectionRecorder());
      broker.accepted[index]!.connection.send(new Uint8Array(MAX_FRAME_BYTES + 1));
      return recorder.closed;
    });
    deepStrictEqual((await Promise.all(ends)).map(({ code }) => code), ["out_of_range", "out_of_range"]);
  },
);

Deno.test("BrokerDialer.connect() speaks v1 where there is no v2, binary rather than JSON", async () => {
  for (
    const [protocols, encoding] of [
      [[JSON_TEXT, BINARY], "binary"],
      [[BINARY], "binary"],
      [[JSON_TEXT], "json"],
    ] as const
  ) {
    await using broker = await ScriptedBroker.start({ protocols: protocols.toSorted().toReversed() });
    const reached = await dialer(broker.port).connect(signal);
    deepStrictEqual([reached.generation, "encoding" in reached && reached.encoding], [1, encoding]);
    if (reached.generation === 1) reached.pipe.close(1000, "seen");
    await broker.clients[0]!.closed;
  }
});

Deno.test("BrokerDialer.connect() tells a broker without our protocols from one that is not there", async () => {
  await using broker = await ScriptedBroker.start({ protocols: ["wasimoff_v99"] });
  await rejects(dialer(broker.port).connect(signal), { code: "unimplemented" });
  await rejects(dialer(broker.port, { endpoint: "tunnel" }).connect(signal), { code: "unimplemented" });
  await rejects(dialer(1).connect(signal), {
    code: "unavailable",
    message: 'cannot reach "ws://127.0.0.1:1/api/client/ws": nothing listens there, ' +
      "start one with: wasimoff broker",
  });
  await rejects(dialer(broker.port, { endpoint: "provider", agent: "" }).connect(signal), {
    code: "invalid_argument",
  });
});

netTest("BrokerDialer.connect() takes no other way than the one it was told", async (net) => {
  await using broker = await serve(net);
  const access = { ...anyAccess(), transport: "webtransport" } as const;
  await rejects(dialer(broker.port, { access }).connect(signal), {
    code: "unimplemented",
    message: `"http://127.0.0.1:${broker.port}/" offers no WebTransport: HTTP status 404`,
  });
  strictEqual(broker.accepted.length, 0);
  await rejects(dialer(broker.port).connect(AbortSignal.abort()), { code: "canceled" });
});
