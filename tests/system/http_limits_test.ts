import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import { WasimoffError } from "../../core/errors.ts";
import { Logger } from "../../core/log.ts";
import { exchange, netTest } from "../support/open_server.ts";

const hello = () => new Response("hello");
const get = (...headers: string[]) => `GET / HTTP/1.1\r\n${["Host: a", ...headers].join("\r\n")}\r\n\r\n`;

netTest("serveHttp() answers and keeps the connection for the next request", async (net) => {
  await using server = await net.serve({
    fetch: (request, { remoteAddress }) => Response.json([new URL(request.url).pathname, remoteAddress]),
  });
  const answer = await exchange(server.address.port, [get(), get("Connection: close")]);
  strictEqual(answer.match(/\["\/","127\.0\.0\.1"\]/g)?.length, 2);
});

netTest("serveHttp() answers 431 to headers above 16 KiB", async (net) => {
  await using server = await net.serve({ fetch: hello });
  match(await exchange(server.address.port, [get(`X: ${"y".repeat(17_000)}`)]), /^HTTP\/1\.1 431 /);
  match(
    await exchange(server.address.port, [get(`X: ${"y".repeat(15_000)}`, "Connection: close")]),
    /^HTTP\/1\.1 200 /,
  );
});

netTest("serveHttp() refuses a request with two hosts, with none, or with two lengths", async (net) => {
  let handled = 0;
  await using server = await net.serve({ fetch: () => (handled++, hello()) });
  const { port } = server.address;
  const double = await exchange(port, [get("Host: b", "Connection: close")]);
  match(double, /^HTTP\/1\.1 400 /);
  match(
    double,
    /\{"error":\{"code":"invalid_argument","message":"request must have exactly one Host header"\}\}$/,
  );
  match(await exchange(port, [`GET / HTTP/1.1\r\nConnection: close\r\n\r\n`]), /^HTTP\/1\.1 400 /);
  match(
    await exchange(port, [get("Content-Length: 3", "Transfer-Encoding: chunked")]),
    /^(HTTP\/1\.1 400 .*)?/s,
  );
  match(await exchange(port, [get("Content-Length: 3", "Content-Length: 4")]), /^(HTTP\/1\.1 400 .*)?/s);
  strictEqual(handled, 0);
});

netTest("serveHttp() refuses a target for another host than Host says", async (net) => {
  await using server = await net.serve({ fetch: hello });
  const { port } = server.address;
  const ask = (target: string) =>
    exchange(port, [`GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`]);
  match(
    await ask("http://localhost/"),
    /^HTTP\/1\.1 400 [^]*request target and Host header name different hosts/,
  );
  match(await ask("http://A/"), /^HTTP\/1\.1 200 /);
});

netTest("serveHttp() closes a connection whose headers come too slowly", async (net) => {
  await using server = await net.serve({ fetch: hello, limits: { headersTimeoutMs: 100 } });
  const begin = performance.now();
  const answers = await Promise.all([
    exchange(server.address.port, []),
    exchange(server.address.port, [...get("X: y".repeat(100))], 20),
  ]);
  ok(performance.now() - begin < 1_500, `took ${performance.now() - begin} ms`);
  for (const answer of answers) ok(!answer.includes("200"), answer);
});

netTest("serveHttp() refuses a body of 5 GB at once, before or instead of 100 Continue", async (net) => {
  let handled = 0;
  await using server = await net.serve({ fetch: () => (handled++, hello()) });
  for (const headers of [[], ["Expect: 100-continue"]]) {
    const begin = performance.now();
    const request = `POST / HTTP/1.1\r\nHost: a\r\n${
      headers.map((line) => `${line}\r\n`).join("")
    }Content-Length: 5000000000\r\n\r\n`;
    const answer = await exchange(server.address.port, [request]);
    match(answer, /^HTTP\/1\.1 413 /);
    ok(performance.now() - begin < 1_500);
  }
  strictEqual(handled, 0);
});

netTest("serveHttp() lets a client continue that asked first", async (net) => {
  await using server = await net.serve({ fetch: async (request) => new Response(await request.text()) });
  const head =
    "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n";
  match(
    await exchange(server.address.port, [head, "body"], 20),
    /^HTTP\/1\.1 100 [^]*HTTP\/1\.1 200 [^]*body$/,
  );
});

netTest("serveHttp() closes connections above the maximum", async (net) => {
  await using server = await net.serve({ fetch: hello, limits: { maxConnections: 2 } });
  const { port } = server.address;
  using _first = await Deno.connect({ hostname: "127.0.0.1", port });
  const second = await Deno.connect({ hostname: "127.0.0.1", port });
  strictEqual(await exchange(port, [get("Connection: close")]), "");
  second.close();
  let answer = "";
  for (let i = 0; i < 50 && answer === ""; i++) answer = await exchange(port, [get("Connection: close")], 5);
  match(answer, /^HTTP\/1\.1 200 /);
});

netTest("serveHttp() turns what a handler throws into JSON and one line of log, and goes on", async (net) => {
  const lines: unknown[] = [];
  const logger = new Logger((level, message, { error }) => lines.push([level, message, String(error)]));
  await using server = await net.serve({
    logger,
    fetch: (request) => {
      if (request.url.endsWith("/ours")) throw new WasimoffError("resource_exhausted", "queue is full");
      throw new TypeError("secret detail");
    },
  });
  const origin = `http://127.0.0.1:${server.address.port}`;
  const [bug, ours] = [await fetch(`${origin}/bug`), await fetch(`${origin}/ours`)];
  strictEqual(bug.status, 500);
  deepStrictEqual(await bug.json(), {
    error: { code: "internal", message: "request failed inside the server: see its log" },
  });
  strictEqual(ours.status, 429);
  deepStrictEqual(await ours.json(), { error: { code: "resource_exhausted", message: "queue is full" } });
  deepStrictEqual(lines, [["error", "request failed", "TypeError: secret detail"]]);
});

netTest("serveHttp() cuts the connection when a body fails on its way, and logs it once", async (net) => {
  const lines: string[] = [];
  await using server = await net.serve({
    logger: new Logger((_level, message) => lines.push(message)),
    fetch: () => {
      let sent = 0;
      const body = new ReadableStream({
        pull(controller) {
          if (sent++ < 3) controller.enqueue(new Uint8Array(1000));
          else controller.error(new WasimoffError("data_loss", "rotten"));
        },
      });
      return new Response(body, { headers: { "content-length": "5000" } });
    },
  });
  await rejects(async () => (await fetch(`http://127.0.0.1:${server.address.port}/`)).bytes());
  deepStrictEqual(lines, ["response broke off"]);
});

netTest("HttpServer.close() lets requests in flight finish within the grace", async (net) => {
  const entered = Promise.withResolvers<void>();
  const leave = Promise.withResolvers<void>();
  const server = await net.serve({
    fetch: async () => {
      entered.resolve();
      await leave.promise;
      return hello();
    },
  });
  const response = fetch(`http://127.0.0.1:${server.address.port}/`);
  await entered.promise;
  const closed = server.close({ graceMs: 5_000 });
  leave.resolve();
  strictEqual(await (await response).text(), "hello");
  const begin = performance.now();
  await closed;
  ok(performance.now() - begin < 4_000);
});

netTest("HttpServer.close() cuts what is open after the grace", async (net) => {
  const entered = Promise.withResolvers<void>();
  const server = await net.serve({
    fetch: () => {
      entered.resolve();
      return new Promise<Response>(() => {});
    },
  });
  const response = fetch(`http://127.0.0.1:${server.address.port}/`);
  await entered.promise;
  await Promise.all([rejects(response), server.close({ graceMs: 50 })]);
});

netTest("serveHttp() names an address that is taken", async (net) => {
  await using server = await net.serve({ fetch: hello });
  const { port } = server.address;
  await rejects(net.serve({ fetch: hello, port }), {
    code: "failed_precondition",
    message: `cannot listen on "127.0.0.1:${port}": another program listens there`,
  });
});
