import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { dialBroker } from "../../core/host/dial_broker.ts";
import type { UpgradeRequest } from "../../core/host/websocket_routes.ts";
import { MAX_FRAME_BYTES } from "../../core/protocol/limits.ts";
import type { Connection } from "../../core/session/connection.ts";
import { ConnectionRecorder } from "../support/connection_recorder.ts";
import { netTest, type TestNet } from "../support/open_server.ts";
import { ScriptedBroker } from "../support/scripted_broker_v1.ts";

const BINARY = "wasimoff_provider_v1_protobuf";
const JSON_TEXT = "wasimoff_provider_v1_json";

/** A server that chooses the newest of its protocols. */
async function serve(net: TestNet) {
  const accepted: { connection: Connection; request: UpgradeRequest }[] = [];
  const server = await net.serve({
    fetch: () => new Response(),
    webSocketRoutes: {
      "/ws": {
        protocols: ["wasimoff_v2"],
        authorize: () => {},
        accept: (connection, request) => void accepted.push({ connection, request }),
      },
    },
  });
  const url = `ws://127.0.0.1:${server.address.port}/ws`;
  return { url, accepted, [Symbol.asyncDispose]: () => server.close() };
}

netTest(
  "dialBroker() speaks v2 where it can, and its first dial takes the connection that is there",
  async (net) => {
    await using broker = await serve(net);
    const reached = await dialBroker(broker.url, { token: "secret", agent: "wasimoff/test" });
    strictEqual(reached.generation, 2);
    const signal = new AbortController().signal;
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

Deno.test("dialBroker() speaks v1 where there is no v2, binary rather than JSON", async () => {
  for (
    const [protocols, encoding] of [
      [[JSON_TEXT, BINARY], "binary"],
      [[BINARY], "binary"],
      [[JSON_TEXT], "json"],
    ] as const
  ) {
    await using broker = await ScriptedBroker.start({ protocols: protocols.toSorted().toReversed() });
    const url = `ws://127.0.0.1:${broker.port}/api/client/ws`;
    const reached = await dialBroker(url, { token: null, agent: "wasimoff/test" });
    deepStrictEqual([reached.generation, "encoding" in reached && reached.encoding], [1, encoding]);
    if (reached.generation === 1) reached.pipe.close(1000, "seen");
    await broker.clients[0]!.closed;
  }
});

Deno.test("dialBroker() tells a broker without any of our protocols from one that is not there", async () => {
  await using broker = await ScriptedBroker.start({ protocols: ["wasimoff_v99"] });
  const options = { token: null, agent: "wasimoff/test" };
  await rejects(dialBroker(`ws://127.0.0.1:${broker.port}/api/client/ws`, options), {
    code: "unimplemented",
  });
  await rejects(dialBroker(`ws://127.0.0.1:${broker.port}/nowhere`, options), { code: "unimplemented" });
  await rejects(dialBroker("ws://127.0.0.1:1/api/client/ws", options), { code: "unavailable" });
  await rejects(
    dialBroker(`ws://127.0.0.1:${broker.port}/api/provider/ws`, { token: null, agent: "" }),
    { code: "invalid_argument" },
  );
});
