/** `--inspect`: the local proxy that writes down requests, and the page that shows them. */

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
// @ts-types="npm:@types/ws@8.18.2"
import { WebSocket, WebSocketServer } from "ws";
import { inspectingReach } from "../../core/host/inspecting_reach.ts";
import { InspectServer } from "../../core/host/inspect_server.ts";
import { dialTcp } from "../../core/host/tcp_duplex.ts";
import { WasimoffError } from "../../core/errors.ts";
import { ExchangeLog } from "../../core/tunnel/exchange_log.ts";
import { endDuplex } from "../../core/tunnel/join_duplexes.ts";
import { ask, RawVisitor } from "../support/raw_http.ts";
import { waitUntil } from "../support/open_server.ts";
import { TunnelSite } from "../support/tunnel_site.ts";
import { within } from "../support/within.ts";

/** A tunnel "seen" whose client writes down what goes to the service of "app". */
function inspected(site: TunnelSite): ExchangeLog {
  const log = new ExchangeLog(Date.now);
  const app = site.tunnels.get("app");
  ok(app !== undefined && app !== "gone");
  const reach = inspectingReach((visitor, signal) => app.open(visitor, signal), log);
  site.add("seen", 1, {
    open: async (visitor, signal) => {
      const duplex = await reach(visitor, signal);
      site.atEnd(() => endDuplex(duplex, new WasimoffError("canceled", "test is over")));
      return duplex;
    },
  });
  return log;
}

const text = (chunks: readonly Uint8Array[]) =>
  chunks.map((chunk) => new TextDecoder().decode(chunk)).join("");

Deno.test("the proxy of --inspect passes everything on and writes it down", async () => {
  await using site = await TunnelSite.open();
  await site.http("app", async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    response.writeHead(201, "Made", ["Set-Cookie", "a", "Set-Cookie", "b"]);
    response.end(`${request.method} ${request.url} ${request.headers["x-forwarded-for"]} ${body}`);
  });
  const log = inspected(site);
  const answer = await ask(
    site.port,
    "POST /a%2F?b HTTP/1.1\nHost: seen.localhost\nContent-Length: 4",
    "body",
  );
  match(answer, /^HTTP\/1.1 201 Made\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n[^]*POST \/a%2F\?b 127.0.0.1 body/);
  await waitUntil(() => [...log.exchanges][0]?.tookMs !== null);
  const [exchange] = [...log.exchanges];
  deepStrictEqual([exchange!.method, exchange!.target, exchange!.answer!.status], ["POST", "/a%2F?b", 201]);
  deepStrictEqual([text(exchange!.request.body), text(exchange!.answer!.body)], [
    "body",
    "POST /a%2F?b 127.0.0.1 body",
  ]);
  strictEqual(exchange!.request.headers[1], "seen.localhost");
});

Deno.test("a large answer passes the proxy of --inspect whole, and its connection is kept", async () => {
  await using site = await TunnelSite.open();
  const size = 8 * 1024 * 1024;
  await site.http("app", (_request, response) => response.end("x".repeat(size)));
  const app = site.tunnels.get("app");
  ok(app !== undefined && app !== "gone");
  const reach = inspectingReach((visitor, signal) => app.open(visitor, signal), new ExchangeLog(Date.now));
  const { readable, writable } = await reach({ address: "", port: 0 }, new AbortController().signal);
  for (const round of ["first", "second"]) {
    void writable.write(new TextEncoder().encode("GET / HTTP/1.1\r\nHost: seen.localhost\r\n\r\n"));
    let text = "";
    while (!text.includes("x".repeat(size))) {
      const chunk = await within(readable.read(), `${round} answer`);
      ok(chunk !== null, `${round} answer is cut after ${text.length} bytes`);
      text += new TextDecoder("latin1").decode(chunk);
      await new Promise((resolve) => setTimeout(resolve, 1)); // the proxy is ahead of who reads
    }
  }
  writable.end();
});

Deno.test("a WebSocket passes the proxy of --inspect", async () => {
  await using site = await TunnelSite.open();
  const sockets = new WebSocketServer({ server: await site.http("app", () => {}) });
  sockets.on("connection", (socket) => socket.on("message", (data) => socket.send(data)));
  const log = inspected(site);
  const socket = new WebSocket(`ws://127.0.0.1:${site.port}/`, { headers: { host: "seen.localhost" } });
  socket.on("open", () => socket.send("hello"));
  const [echo] = await within(
    new Promise<unknown[]>((resolve) => socket.on("message", (...a) => resolve(a))),
    "echo",
  );
  strictEqual(String(echo), "hello");
  strictEqual([...log.exchanges][0]!.answer!.status, 101);
  socket.close();
  await waitUntil(() => site.connections === 0 && [...log.exchanges][0]!.tookMs !== null);
  ok([...log.exchanges][0]!.tookMs! > 0);
  strictEqual(site.connections, 0);
  sockets.close();
});

Deno.test("events pass the proxy of --inspect one by one, and a visitor who leaves is told on", async () => {
  await using site = await TunnelSite.open();
  let send = (_event: string) => {};
  await site.http("app", (_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
    send = (event) => void response.write(event);
  });
  inspected(site);
  const visitor = new RawVisitor(site.port);
  visitor.send("GET / HTTP/1.1\r\nHost: seen.localhost\r\n\r\n");
  await visitor.until(/event-stream[^]*\r\n\r\n$/);
  for (const event of ["one", "two"]) {
    send(event);
    await visitor.until(new RegExp(`${event}\r\n$`));
  }
  visitor.socket.destroy();
  await waitUntil(() => site.connections === 0);
  strictEqual(site.connections, 0);
});

Deno.test("a service that is down is down through the proxy of --inspect, and one that hangs up is shown", async () => {
  await using site = await TunnelSite.open();
  await site.raw("app", (socket) => void socket.once("data", () => socket.destroy()));
  const log = inspected(site);
  match(
    await ask(site.port, "GET / HTTP/1.1\nHost: seen.localhost"),
    /^HTTP\/1.1 502 [^]*502 Connection lost/,
  );
  strictEqual([...log.exchanges][0]!.answer!.status, 502);
  const down = inspectingReach((_visitor, signal) => dialTcp("127.0.0.1", 1, signal), log);
  const failure = await down({ address: "", port: 0 }, new AbortController().signal).catch((error) => error);
  ok(failure instanceof WasimoffError);
  strictEqual(failure.code, "unavailable");
});

Deno.test("the page of --inspect shows requests as they come", async () => {
  const log = new ExchangeLog(Date.now);
  await using server = await InspectServer.open(log, { hostname: "127.0.0.1", port: 0 });
  const { port } = server.address;
  for (
    const [path, type] of [["/", "text/html"], ["/inspect.js", "text/javascript"], [
      "/inspect.css",
      "text/css",
    ]]
  ) {
    const answer = await ask(port, `GET ${path} HTTP/1.1\nHost: localhost:${port}`);
    match(answer, new RegExp(`^HTTP/1.1 200 [^]*content-type: ${type}; charset=utf-8\r\n`));
    match(answer, /content-security-policy: default-src 'none'; script-src 'self'/);
  }
  log.begin({ method: "GET", target: "/before", headers: [] });
  using visitor = new RawVisitor(port);
  visitor.send(`GET /events HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
  await visitor.until(/data: <details id="x1">[^]*\/before/);
  const recording = log.begin({ method: "GET", target: "/after\r\ndata: x", headers: [] });
  await visitor.until(/data: <details id="x2">[^]*\/after\ndata: data: x<[^]*class="open"/);
  recording.answer(200, "OK", []);
  await visitor.until(/id="x2">[^]*<em class="s2">200/);
});

Deno.test("the page of --inspect is for localhost only", async () => {
  await using server = await InspectServer.open(new ExchangeLog(Date.now), {
    hostname: "127.0.0.1",
    port: 0,
  });
  const { port } = server.address;
  for (
    const host of ["evil.example", `evil.example:${port}`, "localhost.evil", "localhost\nHost: localhost"]
  ) {
    match(await ask(port, `GET /events HTTP/1.1\nHost: ${host}`), /^HTTP\/1.1 403 /);
  }
  match(await ask(port, "POST / HTTP/1.1\nHost: localhost"), /^HTTP\/1.1 405 /);
  match(await ask(port, "GET /constructor HTTP/1.1\nHost: localhost"), /^HTTP\/1.1 404 /);
});
