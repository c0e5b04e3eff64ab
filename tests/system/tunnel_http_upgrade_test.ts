/** Connections that switch protocols through the reverse proxy. */

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import type { Server } from "node:http";
// @ts-types="npm:@types/ws@8.18.2"
import { WebSocket, WebSocketServer } from "ws";
import { ask, RawVisitor } from "../support/raw_http.ts";
import { waitUntil } from "../support/open_server.ts";
import { TunnelSite } from "../support/tunnel_site.ts";
import { within } from "../support/within.ts";

const UPGRADE =
  "GET /up HTTP/1.1\r\nHost: app.localhost\r\nConnection: keep-alive, Upgrade\r\nUpgrade: echo/2\r\n\r\n";

/** A service of WebSockets that says what it was asked and sends everything back. */
function echoes(server: Server): WebSocketServer {
  const sockets = new WebSocketServer({
    server,
    handleProtocols: (offered) => [...offered].find((protocol) => protocol === "v2") ?? false,
  });
  sockets.on("connection", (socket, request) => {
    socket.send(JSON.stringify([request.url, socket.protocol, request.headers["x-forwarded-host"]]));
    socket.on("message", (data, binary) => {
      if (String(data) === "close") socket.close(4321, "as asked");
      else socket.send(data, { binary });
    });
  });
  return sockets;
}

function dial(port: number, path: string, protocols: string[]): WebSocket {
  return new WebSocket(`ws://127.0.0.1:${port}${path}`, protocols, { headers: { host: "app.localhost" } });
}

const next = (socket: WebSocket, event: string) =>
  within(new Promise<unknown[]>((resolve) => socket.once(event, (...args) => resolve(args))), event, 5_000);

Deno.test("a WebSocket passes with its subprotocol, frames of both kinds, pings and close codes", async () => {
  await using site = await TunnelSite.open();
  const sockets = echoes(await site.http("app", () => {}));
  const socket = dial(site.port, "/ws?a=%2F", ["v1", "v2"]);
  strictEqual(String((await next(socket, "message"))[0]), '["/ws?a=%2F","v2","app.localhost"]');
  strictEqual(socket.protocol, "v2");
  const bytes = crypto.getRandomValues(new Uint8Array(65_000));
  socket.send(bytes);
  const [data, binary] = await next(socket, "message");
  deepStrictEqual([new Uint8Array(data as Uint8Array), binary], [bytes, true]);
  socket.send("tëxt");
  const [text, isBinary] = await next(socket, "message");
  deepStrictEqual([String(text), isBinary], ["tëxt", false]);
  socket.ping("beat");
  strictEqual(String((await next(socket, "pong"))[0]), "beat");
  socket.send("close");
  const [code, reason] = await next(socket, "close");
  deepStrictEqual([code, String(reason)], [4321, "as asked"]);
  await waitUntil(() => site.connections === 0 && site.visitors === 0);
  deepStrictEqual([site.connections, site.visitors], [0, 0]);
  sockets.close();
});

Deno.test("a close code of the visitor reaches the service", async () => {
  await using site = await TunnelSite.open();
  const sockets = echoes(await site.http("app", () => {}));
  const closed = new Promise<unknown[]>((resolve) => {
    sockets.on("connection", (socket) => socket.on("close", (...args) => resolve(args)));
  });
  const socket = dial(site.port, "/", []);
  await next(socket, "message");
  socket.close(4000, "bye");
  const [code, reason] = await within(closed, "close", 5_000);
  deepStrictEqual([code, String(reason)], [4000, "bye"]);
  sockets.close();
});

Deno.test("a large message passes, and a lost visitor is lost for the service", async () => {
  await using site = await TunnelSite.open();
  const sockets = echoes(await site.http("app", () => {}));
  const socket = dial(site.port, "/", []);
  await next(socket, "message");
  const bytes = new Uint8Array(20_000_000).fill(5);
  socket.send(bytes);
  strictEqual(((await next(socket, "message"))[0] as Uint8Array).length, bytes.length);
  const [server] = sockets.clients;
  const lost = next(server!, "close");
  socket.terminate();
  strictEqual((await lost)[0], 1006);
  sockets.close();
});

Deno.test("any other protocol is spliced byte for byte, also what is sent at once, and each direction ends by itself", async () => {
  await using site = await TunnelSite.open();
  const service = await site.http("app", () => {});
  service.on("upgrade", (request, socket, head) => {
    const said = JSON.stringify([request.headers.upgrade, request.headers.connection]);
    socket.write(
      `HTTP/1.1 101 Go \xe9\r\nConnection: upgrade, x-hop\r\nX-Hop: 1\r\nUpgrade: echo/2\r\nX: ${said}\r\n\r\nearly`,
      "latin1",
    );
    socket.write(head);
    socket.on("data", (chunk) => socket.write(chunk));
    socket.on("end", () => setTimeout(() => socket.end("late"), 20));
  });
  using visitor = new RawVisitor(site.port);
  visitor.send(UPGRADE);
  await visitor.until(/\r\n\r\nearly/);
  match(
    visitor.text,
    /^HTTP\/1.1 101 Go \xe9\r\nConnection: Upgrade\r\nUpgrade: echo\/2\r\nX: \["echo\/2","Upgrade"\]\r\n\r\nearly$/,
  );
  visitor.send("\0\xff bytes");
  await visitor.until(/\0\xff bytes$/);
  visitor.socket.end();
  match(await visitor.end(), /byteslate$/);
});

Deno.test("bytes that follow the request before it is answered are not lost", async () => {
  await using site = await TunnelSite.open();
  const service = await site.http("app", () => {});
  service.on("upgrade", (_request, socket, head) => {
    setTimeout(() => {
      socket.write("HTTP/1.1 101 Go\r\nConnection: upgrade\r\nUpgrade: echo/2\r\n\r\n");
      socket.write(head);
      socket.on("data", (chunk) => socket.write(chunk));
    }, 30);
  });
  using visitor = new RawVisitor(site.port);
  visitor.send(`${UPGRADE}one `);
  setTimeout(() => visitor.send("two"), 10);
  await visitor.until(/\r\n\r\none two$/);
});

Deno.test("a service that does not switch answers as to any request", async () => {
  await using site = await TunnelSite.open();
  await site.http("app", (request, response) => {
    response.writeHead(200, ["A", "1", "A", "2"]).end(`plain ${request.url}`);
  });
  using visitor = new RawVisitor(site.port);
  visitor.send(UPGRADE);
  match(await visitor.end(), /^HTTP\/1.1 200 OK\r\nA: 1\r\nA: 2\r\n[^]*Connection: close\r\n[^]*plain \/up/);
});

Deno.test("an upgrade that goes nowhere gets its page", async () => {
  await using site = await TunnelSite.open({ silenceMs: 100 });
  site.add("down", 1);
  await site.raw("silent", () => {});
  await site.raw("nonsense", (socket) => void socket.once("data", () => socket.write("hello\r\n\r\n")));
  const status = async (name: string, more = "", body = "") => {
    const head = `GET / HTTP/1.1\nHost: ${name}.localhost\nUpgrade: x\nConnection: upgrade${more}`;
    using visitor = new RawVisitor(site.port);
    visitor.send(`${head.replaceAll("\n", "\r\n")}\r\n\r\n${body}`);
    return (await visitor.end()).slice(9, 12);
  };
  strictEqual(await status("down"), "502");
  strictEqual(await status("nonsense"), "502");
  strictEqual(await status("silent"), "504");
  strictEqual(await status("unknown"), "404");
  strictEqual(await status("down", "\nContent-Length: 2", "ab"), "400");
  await waitUntil(() => site.connections === 0);
  strictEqual(site.connections, 0);
});

Deno.test("a service that switches unasked is not believed", async () => {
  await using site = await TunnelSite.open();
  await site.raw("app", (socket) =>
    void socket.once("data", () => {
      socket.write("HTTP/1.1 101 Go\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nHTTP/1.1 200 OK\r\n\r\n");
    }));
  match(await ask(site.port, "GET / HTTP/1.1\nHost: app.localhost"), /^HTTP\/1.1 502 [^]*Invalid answer/);
});

Deno.test("open WebSockets do not use up the requests of a visitor", async () => {
  await using site = await TunnelSite.open({ trustedProxies: ["127.0.0.1"] });
  const service = await site.http("app", (_request, response) => void response.end("ok"));
  service.on("upgrade", (_request, socket) => {
    socket.write("HTTP/1.1 101 Go\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n");
    socket.resume().on("end", () => socket.end());
  });
  const visitors = Array.from({ length: 300 }, () => new RawVisitor(site.port));
  for (const visitor of visitors) {
    visitor.send(UPGRADE.replace("\r\n", "\r\nX-Forwarded-For: 192.0.2.1\r\n"));
    await visitor.until(/^HTTP\/1.1 101/);
  }
  match(
    await ask(site.port, "GET / HTTP/1.1\nHost: app.localhost\nX-Forwarded-For: 192.0.2.1"),
    /^HTTP\/1.1 200/,
  );
  for (const visitor of visitors) visitor.socket.destroy();
  await waitUntil(() => site.connections <= 1);
  ok(site.connections <= 1, `${site.connections} connections are left`);
});

Deno.test("a request for HTTP/2 within HTTP/1.1 is an ordinary one, which no service hears of", async () => {
  await using site = await TunnelSite.open();
  let seen = "";
  await site.http("app", async (request, response) => {
    for await (const chunk of request) seen += chunk;
    seen += ` ${request.headers.upgrade} ${request.headers["http2-settings"]}`;
    response.end("done");
  });
  using visitor = new RawVisitor(site.port);
  visitor.send(
    "POST / HTTP/1.1\r\nHost: app.localhost\r\nContent-Length: 4\r\nConnection: Upgrade, HTTP2-Settings\r\n" +
      "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\nbody",
  );
  await visitor.until(/^HTTP\/1.1 200 OK\r\n[^]*done$/);
  strictEqual(seen, "body undefined undefined");
});
