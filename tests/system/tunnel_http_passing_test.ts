/** What passes through the reverse proxy unharmed. */

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { ask, RawVisitor } from "../support/raw_http.ts";
import { waitUntil } from "../support/open_server.ts";
import { TunnelSite } from "../support/tunnel_site.ts";

const GET = "GET / HTTP/1.1\r\nHost: app.localhost\r\n\r\n";

Deno.test("a request reaches the service as it was, with the forwarding headers", async () => {
  await using site = await TunnelSite.open();
  const seen: unknown[] = [];
  await site.http("app", (request, response) => {
    seen.push([request.method, request.url, request.rawHeaders]);
    response.end();
  });
  await ask(
    site.port,
    "GET /a%2Fb//../%zz?q=%20+&r HTTP/1.1\nHost: app.localhost:1\nX-A: 1\nCookie: a\nx-a: \xff\nCookie: b",
  );
  const forwarded = [
    ...["X-Forwarded-For", "127.0.0.1", "X-Forwarded-Proto", "http", "X-Forwarded-Host", "app.localhost:1"],
    ...["Forwarded", 'for=127.0.0.1;host="app.localhost:1";proto=http', "Connection", "keep-alive"],
  ];
  deepStrictEqual(seen, [["GET", "/a%2Fb//../%zz?q=%20+&r", [
    ...["Host", "app.localhost:1", "X-A", "1", "Cookie", "a", "x-a", "\xff", "Cookie", "b"],
    ...forwarded,
  ]]]);
});

for (
  const method of ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "TRACE", "REPORT"]
) {
  Deno.test(`${method} passes with and without a body`, async () => {
    await using site = await TunnelSite.open();
    await site.http("app", async (request, response) => {
      let body = "";
      for await (const chunk of request) body += chunk;
      const { "content-length": length, "transfer-encoding": encoding } = request.headers;
      response.setHeader("x-seen", JSON.stringify([request.method, body, length, encoding]));
      response.end();
    });
    const head = `${method} / HTTP/1.1\nHost: app.localhost`;
    const seen = async (head: string, body = "") =>
      JSON.parse(/x-seen: (.*)\r/.exec(await ask(site.port, head, body))![1]!);
    const none = ["POST", "PUT", "PATCH", "PROPFIND", "REPORT"].includes(method) ? "0" : null;
    deepStrictEqual(await seen(head), [method, "", none, null]);
    deepStrictEqual(await seen(`${head}\nContent-Length: 3`, "abc"), [method, "abc", "3", null]);
    deepStrictEqual(
      await seen(`${head}\nTransfer-Encoding: chunked`, "3\r\nabc\r\n0\r\n\r\n"),
      [method, "abc", null, "chunked"],
    );
  });
}

const ANSWERS: readonly (readonly [what: string, request: string, answer: string, expected: string])[] = [
  [
    "status, reason and repeated headers",
    "GET",
    "HTTP/1.1 418 Tea \xe9\r\nSet-Cookie: a=1\r\nX: 1\r\nset-cookie: b=2\r\nx: \xff\r\nContent-Length: 2\r\n\r\nok",
    "HTTP/1.1 418 Tea \xe9\r\nSet-Cookie: a=1\r\nX: 1\r\nset-cookie: b=2\r\nx: \xff\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
  ],
  [
    "an empty reason",
    "GET",
    "HTTP/1.1 299 \r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 299 \r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
  ],
  [
    "no header for the next hop",
    "GET",
    "HTTP/1.1 200 OK\r\nConnection: x-hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=1\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
  ],
  [
    "the length of what HEAD does not send",
    "HEAD",
    "HTTP/1.1 200 OK\r\nContent-Length: 123\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 123\r\nConnection: close\r\n\r\n",
  ],
  [
    "HEAD without a length",
    "HEAD",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x\r\n\r\n",
    "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
  ],
  [
    "204",
    "GET",
    "HTTP/1.1 204 No Content\r\nX: y\r\n\r\n",
    "HTTP/1.1 204 No Content\r\nX: y\r\nConnection: close\r\n\r\n",
  ],
  [
    "304 with its length",
    "GET",
    'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\nContent-Length: 99\r\n\r\n',
    'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\nContent-Length: 99\r\nConnection: close\r\n\r\n',
  ],
  [
    "chunks with trailers",
    "GET",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n2\r\nok\r\n0\r\nX-T: 1\r\nx-t: 2\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTrailer: X-T\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-T: 1\r\nx-t: 2\r\n\r\n",
  ],
  [
    "early hints",
    "GET",
    "HTTP/1.1 103 Early Hints\r\nLink: <a>\r\nlink: <b>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 103 Early Hints\r\nLink: <a>\r\nlink: <b>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
  ],
];

for (const [what, method, answer, expected] of ANSWERS) {
  Deno.test(`an answer passes: ${what}`, async () => {
    await using site = await TunnelSite.open();
    await site.raw("app", (socket) => void socket.once("data", () => socket.write(answer, "latin1")));
    strictEqual(await ask(site.port, `${method} / HTTP/1.1\nHost: app.localhost`), expected);
  });
}

Deno.test("an answer that ends with its connection passes, to HTTP/1.0 without chunks", async () => {
  await using site = await TunnelSite.open();
  await site.raw(
    "app",
    (socket) => void socket.once("data", () => socket.end("HTTP/1.0 200 OK\r\n\r\nbody")),
  );
  match(await ask(site.port, "GET / HTTP/1.1\nHost: app.localhost"), /\r\n\r\n4\r\nbody\r\n0\r\n\r\n$/);
  match(
    await ask(site.port, "GET / HTTP/1.0\nHost: app.localhost"),
    /^HTTP\/1.1 200 OK\r\n[^]*\r\n\r\nbody$/,
  );
});

Deno.test("trailers of a request pass, but none that would be read as a header", async () => {
  await using site = await TunnelSite.open();
  await site.http("app", (request, response) => {
    request.resume().on("end", () => response.end(JSON.stringify([request.headers.te, request.rawTrailers])));
  });
  const head = "POST / HTTP/1.1\nHost: app.localhost\nTE: gzip, trailers\nTransfer-Encoding: chunked";
  const trailers = "X-Sum: 1\r\nHost: evil\r\nX-Forwarded-For: 10.0.0.1\r\nx-sum: 2\r\n";
  match(
    await ask(site.port, head, `1\r\nx\r\n0\r\n${trailers}\r\n`),
    /\["trailers",\["X-Sum","1","x-sum","2"\]\]/,
  );
});

Deno.test("100 Continue comes from the service, and not before it", async () => {
  await using site = await TunnelSite.open();
  const asked = Promise.withResolvers<() => void>();
  const server = await site.http("app", () => {});
  server.on("checkContinue", (request, response) => {
    asked.resolve(() => response.writeContinue());
    let body = "";
    request.on("data", (chunk: Uint8Array) => body += chunk).on("end", () => response.end(`got ${body}`));
  });
  using visitor = new RawVisitor(site.port);
  visitor.send("PUT / HTTP/1.1\r\nHost: app.localhost\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  const letGoOn = await asked.promise;
  strictEqual(visitor.text, "");
  letGoOn();
  await visitor.until(/^HTTP\/1.1 100 Continue\r\n\r\n$/);
  visitor.send("body");
  await visitor.until(/HTTP\/1.1 200 OK[^]*got body/);
});

Deno.test("a service that refuses the expected body is heard without it", async () => {
  await using site = await TunnelSite.open();
  const server = await site.http("app", () => {});
  server.on("checkContinue", (_request, response) => response.writeHead(413).end("too much"));
  using visitor = new RawVisitor(site.port);
  visitor.send(
    "PUT / HTTP/1.1\r\nHost: app.localhost\r\nExpect: 100-continue\r\nContent-Length: 4000000000\r\n\r\n",
  );
  await visitor.until(/^HTTP\/1.1 413 [^]*too much/);
});

Deno.test("after an answer instead of 100 Continue no further request is looked for", async () => {
  await using site = await TunnelSite.open();
  const server = await site.http("app", () => {});
  server.on("checkContinue", (_request, response) => response.writeHead(417).end("refused"));
  const expecting = (host: string) =>
    `PUT / HTTP/1.1\r\nHost: ${host}.localhost\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n`;
  for (
    const [host, pattern] of [["app", /^HTTP\/1.1 417 [^]*refused/], ["nobody", /^HTTP\/1.1 404 /]] as const
  ) {
    using visitor = new RawVisitor(site.port);
    visitor.send(expecting(host));
    const answer = await visitor.end();
    match(answer, pattern);
    match(answer, /\r\nConnection: close\r\n/i);
  }
  server.removeAllListeners("checkContinue").on("checkContinue", (request, response) => {
    response.writeContinue();
    request.resume().on("end", () => response.end("taken"));
  });
  using visitor = new RawVisitor(site.port);
  visitor.send(expecting("app"));
  await visitor.until(/^HTTP\/1.1 100 Continue\r\n\r\n$/);
  visitor.send("hello");
  await visitor.until(/\r\nConnection: keep-alive\r\n[^]*taken/i);
});

Deno.test("events of a stream arrive one by one, the head before the first", async () => {
  await using site = await TunnelSite.open();
  let send = (_event: string) => {};
  await site.http("app", (_request, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders();
    send = (event) => void response.write(`data: ${event}\n\n`);
  });
  using visitor = new RawVisitor(site.port);
  visitor.send(GET);
  await visitor.until(/text\/event-stream[^]*\r\n\r\n$/);
  for (const event of ["one", "two", "three"]) {
    const begin = performance.now();
    send(event);
    await visitor.until(new RegExp(`data: ${event}\n\n\r\n$`));
    ok(performance.now() - begin < 30, `an event took ${performance.now() - begin} ms`);
  }
});

Deno.test("request and answer flow at the same time", async () => {
  await using site = await TunnelSite.open();
  await site.http("app", (request, response) => void request.pipe(response));
  using visitor = new RawVisitor(site.port);
  visitor.send("POST / HTTP/1.1\r\nHost: app.localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (const piece of ["ab", "cd", "ef"]) {
    visitor.send(`2\r\n${piece}\r\n`);
    await visitor.until(new RegExp(`2\r\n${piece}\r\n$`));
  }
  visitor.send("0\r\n\r\n");
  await visitor.until(/0\r\n\r\n$/);
});

Deno.test("the service hears at once that a visitor has hung up", async () => {
  await using site = await TunnelSite.open();
  for (const begun of [false, true]) {
    const { promise: asked, resolve } = Promise.withResolvers<void>();
    const { promise: left, resolve: leave } = Promise.withResolvers<void>();
    await site.http("app", (request, response) => {
      request.socket.once("close", () => leave());
      if (begun) response.write("x");
      resolve();
    });
    const visitor = new RawVisitor(site.port);
    visitor.send(GET);
    await asked;
    if (begun) await visitor.until(/x\r\n$/);
    const begin = performance.now();
    visitor.socket.destroy();
    await left;
    ok(performance.now() - begin < 100, `took ${performance.now() - begin} ms`);
  }
});

Deno.test("a visitor hears that an answer broke off", async () => {
  await using site = await TunnelSite.open();
  await site.raw("app", (socket) =>
    void socket.once("data", () => {
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab");
      setTimeout(() => socket.destroy(), 20);
    }));
  using visitor = new RawVisitor(site.port);
  visitor.send(GET);
  match(await visitor.end(), /\r\n\r\nab$/);
});

Deno.test("the Host that the tunnel's client asked for replaces the visitor's", async () => {
  await using site = await TunnelSite.open();
  await site.http("app", (request, response) => {
    response.end(JSON.stringify([request.headers.host, request.headers["x-forwarded-host"]]));
  }, { hostHeader: "intranet.example:8080" });
  match(
    await ask(site.port, "GET / HTTP/1.1\nHost: app.localhost:1"),
    /\["intranet.example:8080","app.localhost:1"\]/,
  );
});

Deno.test("connections to the service are kept for further requests", async () => {
  await using site = await TunnelSite.open();
  await site.http("app", (_request, response) => void response.end("ok"));
  for (let i = 0; i < 5; i++) await ask(site.port, "GET / HTTP/1.1\nHost: app.localhost");
  const tunnel = site.tunnels.get("app");
  ok(tunnel !== "gone" && tunnel !== undefined);
  deepStrictEqual([tunnel.counters.streams, tunnel.counters.requests], [1, 5]);
});

Deno.test("large bodies pass both ways without being kept, and slow readers slow the service down", async () => {
  await using site = await TunnelSite.open();
  const total = 768 * 1024 * 1024;
  const chunk = Buffer.alloc(1024 * 1024, 7);
  let uploaded = 0, written = 0;
  await site.http("app", async (request, response) => {
    for await (const piece of request) uploaded += (piece as Uint8Array).length;
    response.writeHead(200, { "content-length": total });
    const more = (): void => {
      while (written < total) {
        written += chunk.length;
        if (!response.write(chunk)) return void response.once("drain", more);
      }
      response.end();
    };
    more();
  });
  using visitor = new RawVisitor(site.port);
  visitor.socket.removeAllListeners("data");
  visitor.send(`POST / HTTP/1.1\r\nHost: app.localhost\r\nContent-Length: ${total}\r\n\r\n`);
  let peak = 0;
  const watch = setInterval(() => peak = Math.max(peak, Deno.memoryUsage().rss), 20);
  const before = Deno.memoryUsage().rss;
  for (let sent = 0; sent < total; sent += chunk.length) {
    if (!visitor.socket.write(chunk)) await new Promise((resolve) => visitor.socket.once("drain", resolve));
  }
  visitor.socket.pause();
  await waitUntil(() => written > 0);
  await new Promise((resolve) => setTimeout(resolve, 300));
  ok(written < 64 * 1024 * 1024, `${written} bytes were taken for a visitor who does not read`);
  let read = 0;
  await new Promise<void>((resolve) => {
    visitor.socket.on("data", (piece) => (read += piece.length) >= total && resolve());
    visitor.socket.resume();
  });
  clearInterval(watch);
  strictEqual(uploaded, total);
  // Garbage of three programs in one process; a body that is kept is larger than that.
  ok(peak - before < total * 2 / 3, `${(peak - before) / 1024 / 1024} MiB for bodies of 768 MiB`);
});
