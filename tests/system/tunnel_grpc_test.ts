/** The gRPC example: a server behind a tunnel, a client that dials it by WebSocket. */

import { equal } from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { greeterClient } from "../../examples/grpc/client.ts";
import { greeterServer } from "../../examples/grpc/server.ts";
import { dial } from "../../core/host/byte_listener.ts";
import { TunnelCluster } from "../support/tunnel_cluster.ts";

const CALLS = 8_192;

Deno.test(`${CALLS} gRPC calls go through the WebSocket of a tunnel`, async () => {
  await using cluster = await TunnelCluster.start();
  const server = greeterServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const tunnel = await cluster.tunnel({ name: "greeter", service: (server.address() as AddressInfo).port });
  const conn = await dial(`ws://127.0.0.1:${cluster.cluster.port}/api/tunnel/greeter/ws`);
  {
    using client = greeterClient(conn);
    for (let i = 0; i < CALLS; i++) {
      equal((await client.greeter.greet({ name: `${i}` })).greeting, `Hello, ${i}!`);
    }
  }
  conn.close();
  await tunnel.stop();
  await new Promise((resolve) => server.close(resolve));
});
