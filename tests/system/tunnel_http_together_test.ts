/** HTTP tunnels through a whole broker and the session of their client. */

import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
// @ts-types="npm:@types/ws@8.18.2"
import { WebSocket, WebSocketServer } from "ws";
import { ask, RawVisitor } from "../support/raw_http.ts";
import { waitUntil } from "../support/open_server.ts";
import { TunnelCluster } from "../support/tunnel_cluster.ts";
import { within } from "../support/within.ts";

/** A service on a free port, closed with its connections at the end of the test. */
async function serve(stack: AsyncDisposableStack, listener: RequestListener): Promise<[Server, number]> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  stack.defer(async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  });
  return [server, (server.address() as AddressInfo).port];
}

Deno.test("an HTTP tunnel has a URL below localhost, where its service answers instead of the broker", async () => {
  await using stack = new AsyncDisposableStack();
  const [, service] = await serve(stack, (request, response) => {
    response.end(`service ${request.url} ${request.headers["x-forwarded-host"]}`);
  });
  await using cluster = await TunnelCluster.start();
  const { opened } = await cluster.tunnel({ kind: "http", name: "shop", service });
  const { port } = cluster.host.address;
  strictEqual(opened.url, `http://shop.localhost:${port}`);
  const host = `shop.localhost:${port}`;
  match(await ask(port, `GET /api/tasks HTTP/1.1\nHost: ${host}`), new RegExp(`service /api/tasks ${host}`));
  for (const path of ["/", "/healthz", "/proxy/subscribe", "/proxy/request/x/y", "/metrics"]) {
    match(
      await ask(port, `GET ${path} HTTP/1.1\nHost: ${host}\nAccept: */*`),
      new RegExp(`service ${path} `),
    );
  }
  ok(!(await ask(port, "GET /healthz HTTP/1.1\nHost: localhost")).includes("service"));
});

Deno.test("a Host below localhost is no local caller of the broker", async () => {
  await using cluster = await TunnelCluster.start();
  const { port } = cluster.host.address;
  for (const host of ["x.localhost", "localhost.", "x.localhost.", "localhost.x"]) {
    const answer = await ask(port, `GET /api/storage/names HTTP/1.1\nHost: ${host}`);
    match(answer, /^HTTP\/1.1 (401|404) /, host);
  }
});

Deno.test("who comes through a tunnel to the broker itself is no local caller", async () => {
  await using cluster = await TunnelCluster.start();
  const { port } = cluster.host.address;
  await cluster.tunnel({ kind: "http", name: "self", service: port, hostHeader: `localhost:${port}` });
  const open = "GET /api/providers HTTP/1.1\nHost: ";
  match(await ask(port, `${open}localhost:${port}`), /^HTTP\/1.1 200 /);
  for (
    const more of ["", "\nX-Forwarded-For: 127.0.0.1", "\nConnection: close, X-Forwarded-For, Forwarded"]
  ) {
    match(await ask(port, `${open}self.localhost:${port}${more}`), /^HTTP\/1.1 401 /);
  }
  const upgrade = "Connection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Version: 13\nSec-WebSocket-Key: " +
    "dGhlIHNhbXBsZSBub25jZQ==\nSec-WebSocket-Protocol: wasimoff_provider_v1_json\nUser-Agent: x";
  const provider = `GET /api/provider/ws HTTP/1.1\nHost: self.localhost:${port}\n${upgrade}`;
  match(await ask(port, provider), /^HTTP\/1.1 401 /);
});

Deno.test("bodies, WebSockets and hang-ups pass the session", async () => {
  await using stack = new AsyncDisposableStack();
  const left = Promise.withResolvers<void>();
  const [server, service] = await serve(stack, (request, response) => {
    if (request.url !== "/wait") {
      response.setHeader("content-length", request.headers["content-length"] ?? 0);
      return void request.pipe(response);
    }
    request.socket.once("close", () => left.resolve());
  });
  const sockets = new WebSocketServer({ server });
  stack.defer(() => sockets.close());
  sockets.on("connection", (socket) => socket.on("message", (data, binary) => socket.send(data, { binary })));
  await using cluster = await TunnelCluster.start();
  await cluster.tunnel({ kind: "http", name: "shop", service });
  const { port } = cluster.host.address;

  const text = "0123456789abcdef".repeat(20_000);
  const answer = await ask(
    port,
    `POST / HTTP/1.1\nHost: shop.localhost\nContent-Length: ${text.length}`,
    text,
  );
  strictEqual(answer.slice(answer.indexOf("\r\n\r\n") + 4), text);

  const body = crypto.getRandomValues(new Uint8Array(60_000));
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`, { headers: { host: "shop.localhost" } });
  socket.on("open", () => socket.send(body));
  const [echo] = await within(
    new Promise<unknown[]>((resolve) => socket.on("message", (...a) => resolve(a))),
    "echo",
  );
  deepStrictEqual(new Uint8Array(echo as Uint8Array), body);
  socket.close();

  const visitor = new RawVisitor(port);
  visitor.send("GET /wait HTTP/1.1\r\nHost: shop.localhost\r\n\r\n");
  await waitUntil(() => [...cluster.host.tunnels.registry.tunnels][0]!.counters.requests === 3);
  await new Promise((resolve) => setTimeout(resolve, 30));
  const begin = performance.now();
  visitor.socket.destroy();
  await within(left.promise, "the service hears of it", 5_000);
  ok(performance.now() - begin < 500, `took ${performance.now() - begin} ms`);
});

Deno.test("a service that is down, and a client that is away, have their pages", async () => {
  await using cluster = await TunnelCluster.start();
  const { stop } = await cluster.tunnel({ kind: "http", name: "shop", service: 1 });
  const { port } = cluster.host.address;
  match(await ask(port, "GET / HTTP/1.1\nHost: shop.localhost"), /^HTTP\/1.1 502 [^]*Service is down/);
  await stop();
  await waitUntil(() => cluster.host.tunnels.registry.size === 0);
  match(await ask(port, "GET / HTTP/1.1\nHost: shop.localhost"), /^HTTP\/1.1 502 [^]*Tunnel is offline/);
  match(await ask(port, "GET / HTTP/1.1\nHost: none.localhost"), /^HTTP\/1.1 404 [^]*No such tunnel/);
});

Deno.test("a broker for others needs a domain, and then tells URLs below it", async () => {
  const listen = { hostname: "0.0.0.0", port: 0 };
  {
    await using cluster = await TunnelCluster.start({ listen });
    await rejects(cluster.tunnel({ kind: "http", name: "shop" }), {
      code: "failed_precondition",
      message: /--tunnel-domain/,
    });
    match(await ask(cluster.host.address.port, "GET / HTTP/1.1\nHost: shop.localhost"), /^HTTP\/1.1 [^]*$/);
  }
  await using stack = new AsyncDisposableStack();
  const [, service] = await serve(stack, (_request, response) => void response.end("service"));
  await using cluster = await TunnelCluster.start({ listen, tunnelDomain: "https://t.example.org" });
  const { opened } = await cluster.tunnel({ kind: "http", name: "shop", service });
  strictEqual(opened.url, "https://shop.t.example.org");
  const { port } = cluster.host.address;
  match(await ask(port, "GET / HTTP/1.1\nHost: shop.t.example.org"), /^HTTP\/1.1 200 [^]*service/);
  ok(!(await ask(port, "GET / HTTP/1.1\nHost: shop.localhost")).includes("service"));
});

Deno.test("the page of metrics counts what passes", async () => {
  await using stack = new AsyncDisposableStack();
  const [, service] = await serve(stack, (_request, response) => void response.end("x".repeat(1_000)));
  await using cluster = await TunnelCluster.start();
  await cluster.tunnel({ kind: "http", name: "shop", service });
  const { port } = cluster.host.address;
  for (let i = 0; i < 3; i++) await ask(port, "GET / HTTP/1.1\nHost: shop.localhost");
  const page = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  match(page, /^wasimoff_tunnel_requests_total\{tunnel="shop"\} 3$/m);
  match(page, /^wasimoff_tunnel_streams_total\{tunnel="shop"\} 1$/m);
  const sent = Number(/^wasimoff_tunnel_sent_bytes_total\{tunnel="shop"\} (\d+)$/m.exec(page)![1]);
  ok(sent > 3_000 && sent < 5_000, `${sent} bytes`);
});
