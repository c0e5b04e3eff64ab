import { deepStrictEqual, match, rejects, strictEqual } from "node:assert/strict";
import type { IncomingMessage, ServerResponse } from "node:http";
import { WasimoffError } from "../../core/errors.ts";
import { verifyMandate } from "../../core/tunnel/brickchain/brickchain_mandate.ts";
import { generateTunnelKey, tunnelIdentity } from "../../core/tunnel/tunnel_key.ts";
import { BrickchainService, TestBrickchainTunnel } from "../support/brickchain_tunnel.ts";
import { RECORDED_ID, ScriptedBrickchainServer } from "../support/scripted_brickchain_server.ts";

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** Says what it was asked. */
const echo: Answer = (request, response) => {
  const chunks: Uint8Array[] = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    response.writeHead(200, {
      "content-type": "text/plain",
      "x-own": ["1", "2"],
      "set-cookie": ["a=1", "b=2"],
    });
    const { method, url, headers: { host, "x-in": own } } = request;
    const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    response.end(JSON.stringify({ method, url, host, own, length }));
  });
};

async function connected(answer: Answer = echo, webSocket?: Parameters<typeof BrickchainService.start>[1]) {
  const stack = new AsyncDisposableStack();
  const server = stack.use(await ScriptedBrickchainServer.start());
  const service = stack.use(await BrickchainService.start(answer, webSocket));
  const tunnel = stack.use(await TestBrickchainTunnel.start(server.url, service.port));
  const link = await server.link();
  await link.register();
  await tunnel.opened();
  return { server, service, tunnel, link, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

const textOf = (answer: Record<string, unknown>) => atob(answer.body as string);

Deno.test("our client registers as the stock one does, and tells the hostname that it is given", async () => {
  await using server = await ScriptedBrickchainServer.start();
  const identity = await tunnelIdentity(await generateTunnelKey());
  await using tunnel = await TestBrickchainTunnel.start(server.url, 1, { identity });
  const link = await server.link();
  strictEqual(link.headers["sec-websocket-protocol"], undefined);
  strictEqual(link.headers["sec-websocket-extensions"], undefined);
  const request = await link.register();
  deepStrictEqual(Object.keys(request), ["@type", "@timestamp", "@id", "mandateToken"]);
  match(request["@id"] as string, /^[0-9a-f-]{36}$/);
  const checks = { isOurs: (origin: string) => origin === server.url, now: Date.now() };
  const { publicKey } = await verifyMandate(request.mandateToken as string, checks);
  deepStrictEqual(publicKey, identity.publicKey);
  strictEqual(await tunnel.opened(), `http://${RECORDED_ID}.proxy.test`);
});

Deno.test("without a domain our client tells the path, which the stock one refuses to do", async () => {
  await using server = await ScriptedBrickchainServer.start();
  await using tunnel = await TestBrickchainTunnel.start(server.url, 1, { session: "s" });
  strictEqual((await (await server.link()).register(null)).session, "s");
  strictEqual(await tunnel.opened(), `${server.url}/proxy/request/${RECORDED_ID}/`);
});

Deno.test("a server that refuses in plain text is quoted", async () => {
  await using server = await ScriptedBrickchainServer.start();
  await using tunnel = await TestBrickchainTunnel.start(server.url, 1);
  const link = await server.link();
  await link.expect("registration-request");
  link.socket.send("failed to verify token: wrong uri");
  await rejects(tunnel.ended, (error) => {
    return error instanceof WasimoffError && error.code === "unauthenticated" &&
      /wrong uri/.test(error.message);
  });
});

Deno.test("requests reach the service with all that the protocol keeps", async () => {
  await using all = await connected();
  const { link, service } = all;
  const answer = await link.ask({
    url: "/a b/ü?#%",
    query: "q=%20&r",
    method: "POST",
    headers: { "X-In": "yes", "Content-Length": "6", "Connection": "x-hop", "X-Hop": "1" },
    body: "aGVsbG8K",
  });
  strictEqual(answer.status, 200);
  deepStrictEqual(JSON.parse(textOf(answer)), {
    method: "POST",
    url: "/a%20b/%C3%BC%3F%23%25?q=%20&r",
    host: `localhost:${service.port}`,
    own: "yes",
    length: 6,
  });
  strictEqual(answer.contentType, "text/plain");
  const { "X-Own": own, "Set-Cookie": cookie } = answer.headers as Record<string, string>;
  deepStrictEqual([own, cookie], ["1, 2", "a=1"]);
});

Deno.test("statuses pass, and so do HEAD and redirects", async () => {
  await using all = await connected((request, response) => {
    if (request.url === "/moved") response.writeHead(302, { location: "/there" }).end();
    else response.writeHead(404, { "content-length": "3" }).end(request.method === "HEAD" ? "" : "no\n");
  });
  const moved = await all.link.ask({ url: "/moved" });
  strictEqual(moved.status, 302);
  strictEqual((moved.headers as Record<string, string>).Location, "/there");
  const head = await all.link.ask({ method: "HEAD" });
  strictEqual(head.status, 404);
  strictEqual((head.headers as Record<string, string>)["Content-Length"], "3");
  strictEqual(head.body, "");
});

Deno.test("what is too large, cut, broken or away is told, never shortened", async () => {
  await using all = await connected((request, response) => {
    if (request.url === "/large") return void response.end("x".repeat(512_001));
    if (request.url === "/frame") return void response.end("x".repeat(384_000));
    if (request.url === "/fits") return void response.end("x".repeat(383_000));
    if (request.url === "/broken") {
      response.writeHead(200, { "content-length": "10" });
      response.write("half");
      return void setTimeout(() => response.destroy(), 20);
    }
    response.end("ok");
  });
  const { link } = all;
  strictEqual(textOf(await link.ask({ url: "/fits" })).length, 383_000);
  const table: readonly (readonly [number, RegExp, Record<string, unknown>])[] = [
    [502, /larger than the tunnel carries/, { url: "/large" }],
    [502, /larger than the tunnel carries/, { url: "/frame" }],
    [502, /broke off/, { url: "/broken" }],
    [413, /larger/, {
      method: "POST",
      headers: { "Content-Length": "700000" },
      body: btoa("x".repeat(512_000)),
    }],
    [413, /larger/, { method: "POST", headers: {}, body: btoa("x".repeat(512_000)) }],
    [400, /cannot be read/, { body: "no base64!" }],
    [400, /cannot be read/, { query: "a b\r\nX: y" }],
    [400, /cannot be read/, { headers: { "X-Bad": "a\r\nb" } }],
  ];
  for (const [status, text, fields] of table) {
    const answer = await link.ask(fields);
    strictEqual(answer.status, status, JSON.stringify(fields).slice(0, 80));
    match(textOf(answer), text);
  }
  await all.service[Symbol.asyncDispose]().catch(() => {});
  const away = await link.ask({});
  strictEqual(away.status, 502);
  strictEqual(textOf(away), "service cannot be reached\n");
});

Deno.test("WebSockets of the service are relayed, refused ones are told", async () => {
  await using all = await connected(echo, (socket, request) => {
    socket.send(`hello ${request.headers.cookie} ${request.url}`);
    socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
    socket.on("close", () => {});
  });
  const { link } = all;
  link.tell("ws-request", "one", { url: "/ws", query: "q=1", headers: { Cookie: "c=1" } });
  // Existing servers do not wait for the answer.
  link.tell("ws-message", "one", { messageType: 1, body: "early" });
  const { "@id": id, ok } = await link.expect("ws-response");
  deepStrictEqual([id, ok], ["one", true]);
  link.tell("ws-message", "one", { messageType: 2, body: "\udcff\udcfe\0" });
  const heard = [];
  for (let i = 0; i < 3; i++) {
    const { messageType, body } = await link.expect("ws-message");
    heard.push([messageType, body]);
  }
  deepStrictEqual(heard, [[1, "hello c=1 /ws?q=1"], [1, "early"], [2, "\udcff\udcfe\0"]]);
  link.tell("ws-teardown", "one");
  link.tell("ws-request", "two", { url: "/refused", headers: {} });
  const refused = await link.expect("ws-response");
  deepStrictEqual([refused.ok, refused.error], [false, "service refused the WebSocket: HTTP status 403"]);
});

Deno.test("our client comes back after a lost connection, registers anew and says goodbye at the end", async () => {
  const all = await connected();
  all.link.socket.terminate();
  const second = await all.server.link(1);
  await second.register();
  await all.tunnel.opened(2);
  strictEqual(all.tunnel.lost.length, 1);
  second.ping();
  strictEqual((await second.ask({})).status, 200);
  const leaving = all.tunnel[Symbol.asyncDispose]();
  await second.expect("disconnect");
  strictEqual(await second.closed, 1000);
  await leaving;
  await all[Symbol.asyncDispose]();
});
