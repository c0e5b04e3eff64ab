import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
// @ts-types="npm:@types/ws@8.18.2"
import { WebSocket } from "ws";
import { generateTunnelKey, tunnelIdentity } from "../../core/tunnel/tunnel_key.ts";
import { BrickchainService, TestBrickchainTunnel } from "../support/brickchain_tunnel.ts";
import { exchange } from "../support/open_server.ts";
import { HostCluster } from "../support/host_cluster.ts";
import { within } from "../support/within.ts";

async function together(options: Parameters<typeof HostCluster.start>[0] = {}) {
  const stack = new AsyncDisposableStack();
  const cluster = stack.use(await HostCluster.start(options));
  const service = stack.use(
    await BrickchainService.start((request, response) => {
      const chunks: Uint8Array[] = [];
      request.on("data", (chunk) => chunks.push(chunk));
      request.on("end", () => {
        if (request.url === "/slow") return;
        response.writeHead(201, { "x-url": request.url!, "x-method": request.method! });
        for (const chunk of chunks) response.write(chunk);
        response.end();
      });
    }, (socket) => {
      socket.on("message", (data, isBinary) => {
        if (data.toString() === "leave") socket.close();
        else socket.send(data, { binary: isBinary });
      });
    }),
  );
  return { cluster, service, stack, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** The other way to a tunnel, which needs no names below localhost. */
function byPath(publicUrl: string): string {
  const { hostname, port } = new URL(publicUrl);
  return `http://127.0.0.1:${port}/proxy/request/${hostname.split(".")[0]}/`;
}

Deno.test("our client at our broker: requests, bodies and statuses pass whole", async () => {
  await using all = await together();
  const { cluster, service } = all;
  const identity = await tunnelIdentity(await generateTunnelKey());
  await using tunnel = await TestBrickchainTunnel.start(`http://127.0.0.1:${cluster.port}`, service.port, {
    identity,
  });
  strictEqual(await tunnel.opened(), `http://${identity.id}.localhost:${cluster.port}`);
  const url = byPath(await tunnel.opened());
  strictEqual(url, `http://127.0.0.1:${cluster.port}/proxy/request/${identity.id}/`);
  const byHost = await exchange(cluster.port, [
    `GET /healthz HTTP/1.1\r\nHost: ${identity.id}.localhost:${cluster.port}\r\nConnection: close\r\n\r\n`,
  ]);
  match(byHost, /^HTTP\/1\.1 201 [^]*x-url: \/healthz\r\n/i);
  const body = crypto.getRandomValues(new Uint8Array(60_000));
  const answer = await fetch(`${url}a%20b?q=1`, { method: "PUT", body });
  strictEqual(answer.status, 201);
  strictEqual(answer.headers.get("x-url"), "/a%20b?q=1");
  deepStrictEqual(await answer.bytes(), body);
  const head = await fetch(url, { method: "HEAD" });
  strictEqual(head.headers.get("x-method"), "HEAD");
  strictEqual(await head.text(), "");
  const both = await Promise.all(
    Array.from({ length: 64 }, (_, i) => fetch(`${url}${i}`).then((answer) => answer.body!.cancel())),
  );
  strictEqual(both.length, 64);
});

Deno.test("our client at our broker: WebSockets carry any bytes, in order", async () => {
  await using all = await together();
  const { cluster, service } = all;
  await using tunnel = await TestBrickchainTunnel.start(`http://localhost:${cluster.port}`, service.port);
  const socket = new WebSocket(`${byPath(await tunnel.opened()).replace("http", "ws")}ws`, {
    perMessageDeflate: false,
  });
  const received: (Uint8Array | string)[] = [];
  const closed = new Promise<number>((resolve) => socket.on("close", resolve));
  const sent = Array.from(
    { length: 50 },
    (_, i) => i % 2 === 0 ? `text ${i} ü` : crypto.getRandomValues(new Uint8Array(i * 1_000)),
  );
  const done = new Promise<void>((resolve) => {
    socket.on("message", (data, isBinary) => {
      received.push(isBinary ? Uint8Array.from(data as Uint8Array) : data.toString());
      if (received.length === sent.length) resolve();
    });
  });
  socket.on("open", () => sent.forEach((message) => socket.send(message)));
  await within(done, "all echoes");
  deepStrictEqual(received, sent);
  socket.send("leave");
  strictEqual(await within(closed, "the end"), 1000);
});

Deno.test("a session is a second tunnel of the same key, and a bad endpoint is refused at once", async () => {
  await using all = await together({ publicUrls: ["https://tunnels.example.org"] });
  const { cluster, service } = all;
  const url = `http://127.0.0.1:${cluster.port}`;
  const identity = await tunnelIdentity(await generateTunnelKey());
  await using one = await TestBrickchainTunnel.start(url, service.port, { identity });
  await using two = await TestBrickchainTunnel.start(url, service.port, { identity, session: "two" });
  strictEqual(await one.opened() === await two.opened(), false);
  for (const tunnel of [one, two]) {
    const answer = await fetch(byPath(await tunnel.opened()));
    strictEqual(answer.status, 201);
    await answer.body?.cancel();
  }
  const origin = `http://127.0.0.1:${cluster.port}`;
  const webSocket = `ws://127.0.0.1:${cluster.port}/proxy/subscribe`;
  const endpoint = { uri: "https://elsewhere.example.org", origin, webSocket };
  await using wrong = await TestBrickchainTunnel.start(url, service.port, { endpoint });
  match(String(await wrong.ended.catch((error) => error)), /another server: "https:\/\/elsewhere/);
  const behindProxy = { uri: "https://tunnels.example.org", origin, webSocket };
  await using behind = await TestBrickchainTunnel.start(url, service.port, { endpoint: behindProxy });
  match(await behind.opened(), /^http:\/\/[a-z2-7]{52}\.localhost:\d+$/);
});

Deno.test("a client whose connection is cut is back at once, under the same URL", async () => {
  await using all = await together();
  const { cluster, service } = all;
  const proxy = await cluster.proxy();
  await using tunnel = await TestBrickchainTunnel.start(`http://127.0.0.1:${proxy.port}`, service.port);
  await tunnel.opened();
  proxy.cut();
  const answer = await fetch(byPath(await tunnel.opened(2)));
  strictEqual(answer.status, 201);
  await answer.body?.cancel();
});

Deno.test("the broker's own paths and its page stay what they are", async () => {
  await using all = await together();
  const url = `http://127.0.0.1:${all.cluster.port}`;
  strictEqual(await (await fetch(`${url}/healthz`)).text(), "OK\n");
  strictEqual(await (await fetch(url)).text(), "proxy-server/test");
  const page = await fetch(url, { headers: { accept: "text/html" } });
  strictEqual(page.status, 404);
  await page.body?.cancel();
});
