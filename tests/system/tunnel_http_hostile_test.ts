/** Visitors and services that mean harm, or could not behave worse if they did. */

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { ask, RawVisitor } from "../support/raw_http.ts";
import { waitUntil } from "../support/open_server.ts";
import { TunnelSite } from "../support/tunnel_site.ts";

const GET = "GET / HTTP/1.1\r\nHost: app.localhost\r\n\r\n";
const HIDDEN = "GET /hidden HTTP/1.1\r\nHost: app.localhost\r\n\r\n";
const POST = "POST / HTTP/1.1\nHost: app.localhost";

/** Requests that two readers could take for one, or for two. */
const SMUGGLING: readonly (readonly [what: string, head: string, body: string])[] = [
  ["a length and chunks", `${POST}\nContent-Length: 4\nTransfer-Encoding: chunked`, `0\r\n\r\n${HIDDEN}`],
  ["chunks and a length", `${POST}\nTransfer-Encoding: chunked\nContent-Length: 4`, `0\r\n\r\n${HIDDEN}`],
  ["two lengths", `${POST}\nContent-Length: 0\nContent-Length: ${HIDDEN.length}`, HIDDEN],
  ["a list of lengths", `${POST}\nContent-Length: 0, ${HIDDEN.length}`, HIDDEN],
  ["a length with a sign", `${POST}\nContent-Length: +0`, HIDDEN],
  ["a length in hex", `${POST}\nContent-Length: 0x4`, HIDDEN],
  ["a space before the colon", `${POST}\nContent-Length : 4`, HIDDEN],
  ["an encoding that only looks like chunks", `${POST}\nTransfer-Encoding: xchunked`, `0\r\n\r\n${HIDDEN}`],
  ["chunks that are not last", `${POST}\nTransfer-Encoding: chunked, identity`, `0\r\n\r\n${HIDDEN}`],
  ["chunks of gzip", `${POST}\nTransfer-Encoding: gzip, chunked`, `0\r\n\r\n${HIDDEN}`],
  ["identity", `${POST}\nTransfer-Encoding: identity`, HIDDEN],
  ["chunks twice", `${POST}\nTransfer-Encoding: chunked\nTransfer-Encoding: chunked`, `0\r\n\r\n${HIDDEN}`],
  ["a vertical tab", `${POST}\nTransfer-Encoding: \x0bchunked`, `0\r\n\r\n${HIDDEN}`],
  [
    "chunks in HTTP/1.0",
    "POST / HTTP/1.0\nHost: app.localhost\nTransfer-Encoding: chunked",
    `0\r\n\r\n${HIDDEN}`,
  ],
  ["a folded header", `${POST}\nX: a\n Transfer-Encoding: chunked`, HIDDEN],
  ["a lone CR", `${POST}\nX: a\rTransfer-Encoding: chunked`, HIDDEN],
  ["a NUL", `${POST}\nX: a\0b`, HIDDEN],
  ["another version", "GET / HTTP/2.0\nHost: app.localhost", ""],
  [
    "a header beyond those that are told",
    `${POST}${"\na:".repeat(1_200)}\nContent-Length: ${HIDDEN.length}`,
    HIDDEN,
  ],
];

for (const [what, head, body] of SMUGGLING) {
  Deno.test(`a request is refused, with all that follows: ${what}`, async () => {
    await using site = await TunnelSite.open();
    const seen: string[] = [];
    await site.http("app", (request, response) => {
      seen.push(`${request.method} ${request.url}`);
      response.end();
    });
    using visitor = new RawVisitor(site.port);
    visitor.send(`${head.replaceAll("\n", "\r\n")}\r\n\r\n${body}`);
    if (what !== "a header beyond those that are told") match(await visitor.end(), /^(HTTP\/1.1 400 |$)/);
    else await visitor.until(/^HTTP\/1.1 431 /);
    await new Promise((resolve) => setTimeout(resolve, 10));
    ok(!seen.includes("GET /hidden"), "a hidden request came through");
    ok(!seen.includes("POST /"), "a refused request came through");
  });
}

const CHUNKS: readonly (readonly [what: string, body: string])[] = [
  ["a size in 0x", "0x1\r\nx\r\n0\r\n\r\n"],
  ["lines without CR", "1\nx\n0\n\n"],
  ["an extension with LF", "1;a\nb\r\nx\r\n0\r\n\r\n"],
  ["more bytes than the size", "1\r\nxy\r\n0\r\n\r\n"],
  ["a size without end", `${"f".repeat(40)}\r\nx\r\n0\r\n\r\n`],
  ["trailers without end", `0\r\nX: ${"y".repeat(100_000)}\r\n\r\n`],
];

for (const [what, body] of CHUNKS) {
  Deno.test(`a body breaks off, and no further request is heard: chunks with ${what}`, async () => {
    await using site = await TunnelSite.open();
    let complete = 0, hidden = 0;
    await site.http("app", (request, response) => {
      if (request.url === "/hidden") hidden++;
      request.resume().on("end", () => {
        complete++;
        response.end();
      }).on("error", () => {});
    });
    using visitor = new RawVisitor(site.port);
    visitor.send(`${POST.replace("\n", "\r\n")}\r\nTransfer-Encoding: chunked\r\n\r\n${body}${HIDDEN}`);
    ok(!(await visitor.end()).includes("200"));
    // One that nothing was sent on may be kept.
    await waitUntil(() => site.connections <= 1);
    deepStrictEqual([complete, hidden, site.connections <= 1], [0, 0, true]);
  });
}

Deno.test("headers above 16 KiB get 431", async () => {
  await using site = await TunnelSite.open();
  match(await ask(site.port, `${POST}\nX: ${"y".repeat(20_000)}`), /^HTTP\/1.1 431 /);
});

Deno.test("a body that stops on its way ends with 408, and holds nothing", async () => {
  await using site = await TunnelSite.open({ silenceMs: 100 });
  await site.http("app", (request) => void request.resume().on("error", () => {}));
  const visitors = Array.from({ length: 50 }, () => new RawVisitor(site.port));
  for (const visitor of visitors) {
    visitor.send("POST / HTTP/1.1\r\nHost: app.localhost\r\nContent-Length: 1000\r\n\r\nslow");
  }
  for (const visitor of visitors) {
    await visitor.until(/^HTTP\/1.1 408 /);
    visitor.socket.destroy();
  }
  await waitUntil(() => site.connections === 0);
  strictEqual(site.connections, 0);
});

Deno.test("a visitor who reads nothing for too long is let go, one who reads slowly is not", async () => {
  await using site = await TunnelSite.open({ stalledMs: 300 });
  await site.http("app", (_request, response) => {
    const more = (): void => {
      while (!response.destroyed) {
        if (!response.write(new Uint8Array(65_536))) return void response.once("drain", more);
      }
    };
    more();
  });
  using stalled = new RawVisitor(site.port);
  stalled.socket.pause();
  stalled.send(GET);
  await waitUntil(() => site.connections === 1);
  const begin = performance.now();
  await waitUntil(() => site.connections === 0);
  const tookMs = performance.now() - begin;
  ok(tookMs > 250 && tookMs < 1_500, `took ${tookMs} ms`);

  using slow = new RawVisitor(site.port);
  slow.send(GET);
  const reading = setInterval(() => slow.socket.isPaused() ? slow.socket.resume() : slow.socket.pause(), 50);
  await new Promise((resolve) => setTimeout(resolve, 700));
  clearInterval(reading);
  strictEqual(site.connections, 1);
});

Deno.test("one address has so many requests in flight, and others still get in", async () => {
  await using site = await TunnelSite.open({ trustedProxies: ["127.0.0.1"] });
  await site.http("app", (request, response) => void (request.url === "/wait" || response.end("ok")));
  const from = (address: string, path: string) =>
    `GET ${path} HTTP/1.1\r\nHost: app.localhost\r\nX-Forwarded-For: ${address}\r\n\r\n`;
  const visitors = Array.from({ length: 256 }, () => new RawVisitor(site.port));
  for (const visitor of visitors) visitor.send(from("192.0.2.1", "/wait"));
  await waitUntil(() => site.connections === 256);
  using late = new RawVisitor(site.port);
  late.send(from("192.0.2.1", "/"));
  await late.until(/^HTTP\/1.1 503 [^]*retry-after: 1/);
  late.send(from("192.0.2.2", "/"));
  await late.until(/HTTP\/1.1 200 /);
  for (const visitor of visitors) visitor.socket.destroy();
  await waitUntil(() => site.connections <= 1);
  late.send(from("192.0.2.1", "/"));
  await late.until(/200 [^]*200 OK/);
});

/** Answers to one connection that asks again and again, for so long. */
async function throughput(site: TunnelSite, name: string, ms: number): Promise<number> {
  using visitor = new RawVisitor(site.port);
  const get = `GET / HTTP/1.1\r\nHost: ${name}.localhost\r\n\r\n`;
  let answers = 0;
  for (const end = performance.now() + ms; performance.now() < end; answers++) {
    visitor.text = "";
    visitor.send(get);
    await visitor.until(/ok$/);
  }
  return answers;
}

Deno.test("other tunnels keep their throughput while one has readers that do not read and services that do not answer", async () => {
  await using site = await TunnelSite.open();
  await site.http("good", (_request, response) => void response.setHeader("content-length", 2).end("ok"));
  const chunk = new Uint8Array(256 * 1024);
  let written = 0;
  await site.http("app", (request, response) => {
    if (request.url === "/silent") return;
    const more = (): void => {
      while (!response.destroyed) {
        written += chunk.length;
        if (!response.write(chunk)) return void response.once("drain", more);
      }
    };
    more();
  });
  await throughput(site, "good", 100);
  const before = await throughput(site, "good", 400);
  const visitors = Array.from({ length: 40 }, () => new RawVisitor(site.port));
  for (const [i, visitor] of visitors.entries()) {
    visitor.socket.pause();
    visitor.send(i % 2 === 0 ? GET : GET.replace("/", "/silent"));
  }
  await waitUntil(() => site.connections >= 40);
  // Until the buffers of the system are full.
  for (let last = -1; last !== written; await new Promise((resolve) => setTimeout(resolve, 100))) {
    last = written;
  }
  await throughput(site, "good", 100);
  const memory = Deno.memoryUsage().rss;
  const beside = await throughput(site, "good", 400);
  ok(beside > before / 2, `${beside} requests beside them, ${before} without`);
  ok(written < 20 * 16 * 1024 * 1024, `${written} bytes were taken for 20 visitors who do not read`);
  ok(Deno.memoryUsage().rss - memory < 100 * 1024 * 1024);
  for (const visitor of visitors) visitor.socket.destroy();
  await waitUntil(() => site.connections <= 1);
  ok(site.connections <= 1, `${site.connections} connections are left`);
});
