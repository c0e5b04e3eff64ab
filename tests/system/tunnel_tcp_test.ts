import { deepEqual, equal, rejects } from "node:assert/strict";
import { once } from "node:events";
import type { Socket } from "node:net";
import { waitUntil } from "../support/open_server.ts";
import { TcpClient, TcpService } from "../support/tcp_service.ts";
import { TunnelCluster } from "../support/tunnel_cluster.ts";
import { within } from "../support/within.ts";

Deno.test("a TCP tunnel carries bytes both ways through its public port", async () => {
  await using service = await TcpService.echo();
  await using cluster = await TunnelCluster.start();
  const { opened } = await cluster.tunnel({ service: service.port, name: "db" });
  equal(opened.name, "db");
  using client = (await TcpClient.connect(opened.port)).read();
  client.socket.end("hello");
  equal(await within(client.ended, "the echoed end"), "end");
  equal(client.text, "hello");
  const found = cluster.host.tunnels.registry.find("db");
  if (found === null || found === "gone") throw new Error("the tunnel is not there");
  await waitUntil(() => found.counters.activeStreams === 0);
  deepEqual(found.counters, { streams: 1, activeStreams: 0, requests: 0, bytesIn: 5, bytesOut: 5 });
});

Deno.test("a half-close passes in either direction, and the other one goes on", async () => {
  const accepted = Promise.withResolvers<Socket>();
  await using service = await TcpService.start(accepted.resolve);
  await using cluster = await TunnelCluster.start();
  const { opened } = await cluster.tunnel({ service: service.port });
  using client = (await TcpClient.connect(opened.port)).read();
  const socket = await within(accepted.promise, "the connection at the service");
  socket.resume();
  socket.end("service is done");
  equal(await within(client.ended, "the end of the service"), "end");
  equal(client.text, "service is done");
  client.socket.write("client goes on");
  const [chunk] = await within(once(socket, "data"), "data after the half-close");
  equal(String(chunk), "client goes on");
  client.socket.end();
  await within(once(socket, "close"), "the end of both");
});

Deno.test("a reset passes in either direction", async () => {
  for (const by of ["client", "service"] as const) {
    const accepted = Promise.withResolvers<Socket>();
    await using service = await TcpService.start(accepted.resolve);
    await using cluster = await TunnelCluster.start();
    const { opened } = await cluster.tunnel({ service: service.port });
    using client = (await TcpClient.connect(opened.port)).read();
    const socket = await within(accepted.promise, "the connection at the service");
    socket.resume();
    client.socket.write("x");
    await within(once(socket, "data"), "the first byte");
    if (by === "client") {
      const failed = once(socket, "error").then(([error]) => error.code);
      client.socket.resetAndDestroy();
      equal(await within(failed, "the reset at the service"), "ECONNRESET");
    } else {
      socket.resetAndDestroy();
      equal(await within(client.ended, "the reset at the client"), "reset");
    }
  }
});

Deno.test("a visitor of a service that is not there is reset at once", async () => {
  let port: number;
  {
    await using gone = await TcpService.echo();
    port = gone.port;
  }
  await using cluster = await TunnelCluster.start();
  const { opened } = await cluster.tunnel({ service: port, name: "db" });
  equal(await within(howItEnds(opened.port), "the reset", 2_000), "reset");
  const visitor = await cluster.visitor();
  const { reached } = await visitor.connect("db", AbortSignal.timeout(5_000));
  await rejects(reached, { code: "unavailable", message: /nothing listens there/ });
});

Deno.test("visitors reach a tunnel by its name, and are told why they do not", async () => {
  await using service = await TcpService.echo();
  await using cluster = await TunnelCluster.start();
  const tunnel = await cluster.tunnel({ service: service.port, name: "db" });
  const visitor = await cluster.visitor();
  const signal = AbortSignal.timeout(10_000);
  const { duplex, reached } = await visitor.connect("db", signal);
  await duplex.writable.write(new TextEncoder().encode("early")); // before the answer
  await reached;
  equal(new TextDecoder().decode((await duplex.readable.read())!), "early");
  duplex.writable.end();
  equal(await duplex.readable.read(), null);
  await rejects((await visitor.connect("other", signal)).reached, { code: "not_found" });
  await tunnel.stop();
  await waitUntil(() => cluster.host.tunnels.registry.find("db") === "gone");
  await rejects((await visitor.connect("db", signal)).reached, { code: "unavailable" });
});

Deno.test("visitors are reset when the client of their tunnel leaves, and its port is closed", async () => {
  await using service = await TcpService.echo();
  await using cluster = await TunnelCluster.start();
  const tunnel = await cluster.tunnel({ service: service.port });
  using client = (await TcpClient.connect(tunnel.opened.port)).read();
  client.socket.write("x");
  await waitUntil(() => client.text === "x");
  await tunnel.stop();
  equal(await within(client.ended, "the reset of the visitor"), "reset");
  await waitUntil(() => service.sockets.size === 0);
  equal(service.sockets.size, 0);
  await waitUntil(() => cluster.host.tunnels.openPorts === 0);
  await rejects(TcpClient.connect(tunnel.opened.port), { code: "ECONNREFUSED" });
});

Deno.test("a tunnel lets in only the addresses that it allows", async () => {
  await using service = await TcpService.echo();
  await using cluster = await TunnelCluster.start();
  const { opened } = await cluster.tunnel({ service: service.port, name: "db", allowCidrs: ["10.0.0.0/8"] });
  equal(await within(howItEnds(opened.port), "the reset"), "reset");
  const visitor = await cluster.visitor();
  const { reached } = await visitor.connect("db", AbortSignal.timeout(5_000));
  await rejects(reached, { code: "permission_denied" });
});

/** Of a connection that may be reset before its client knows that it is there. */
async function howItEnds(port: number): Promise<"end" | "reset"> {
  try {
    using client = (await TcpClient.connect(port)).read();
    return await client.ended;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ECONNRESET") return "reset";
    throw error;
  }
}
