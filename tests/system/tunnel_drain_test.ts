import { equal, ok } from "node:assert/strict";
import { waitUntil } from "../support/open_server.ts";
import { TcpClient, TcpService } from "../support/tcp_service.ts";
import { TunnelCluster } from "../support/tunnel_cluster.ts";
import { within } from "../support/within.ts";

Deno.test("open streams of tunnels do not hold up a broker that leaves", async () => {
  await using service = await TcpService.echo();
  await using cluster = await TunnelCluster.start();
  const tunnel = await cluster.tunnel({ service: service.port });
  using client = (await TcpClient.connect(tunnel.opened.port)).read();
  client.socket.write("x");
  await waitUntil(() => client.text === "x");
  const limit = AbortSignal.timeout(20_000);
  await cluster.host.drain(limit);
  equal(limit.aborted, false);
  equal(await within(client.ended, "the reset of the visitor"), "reset");
  await waitUntil(() => tunnel.losses.length >= 2); // it comes back, and is sent away
  ok(tunnel.losses.every(({ code }) => code === "unavailable"));
  equal(cluster.host.tunnels.registry.size, 0);
});
