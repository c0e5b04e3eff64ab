/** Services behind the reverse proxy that fail, and what visitors get instead of an answer. */

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import type { Socket } from "node:net";
import { WasimoffError } from "../../core/errors.ts";
import { ask, RawVisitor } from "../support/raw_http.ts";
import { waitUntil } from "../support/open_server.ts";
import { TunnelSite } from "../support/tunnel_site.ts";

const HEAD = "GET / HTTP/1.1\nHost: app.localhost";
const GET = "GET / HTTP/1.1\r\nHost: app.localhost\r\n\r\n";
const POST = "POST / HTTP/1.1\r\nHost: app.localhost\r\nContent-Length: 4\r\n\r\nbody";

/** The status of what a visitor gets from a service that sends `answer` and then, if `ends`, hangs up. */
async function statusOf(answer: string, ends = false): Promise<string> {
  await using site = await TunnelSite.open({ silenceMs: 2_000 });
  await site.raw("app", (socket) =>
    void socket.once("data", () => {
      socket.write(answer, "latin1");
      if (ends) socket.end();
    }));
  const text = await ask(site.port, HEAD);
  await waitUntil(() => site.connections === 0);
  strictEqual(site.connections, 0, "a connection to a service that answers nonsense is kept");
  return text.slice(9, 12);
}

const OK = "HTTP/1.1 200 OK\r\n";
const NONSENSE: readonly (readonly [what: string, answer: string])[] = [
  ["another protocol", "SSH-2.0-OpenSSH_9.2\r\n\r\n"],
  ["a length and chunks", `${OK}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
  ["two lengths", `${OK}Content-Length: 2\r\nContent-Length: 2\r\n\r\nok`],
  ["a negative length", `${OK}Content-Length: -2\r\n\r\nok`],
  ["a folded header", `${OK}X: a\r\n b\r\nContent-Length: 0\r\n\r\n`],
  ["lines without CR", "HTTP/1.1 200 OK\nContent-Length: 0\n\n"],
  ["chunks that are none", `${OK}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`],
  ["chunks of gzip", `${OK}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`],
  ["identity", `${OK}Transfer-Encoding: identity\r\nContent-Length: 2\r\n\r\nok`],
  ["a name that is none", `${OK}A(b): 1\r\nContent-Length: 0\r\n\r\n`],
  ["control characters in a value", `${OK}A: 1\x01\r\nContent-Length: 0\r\n\r\n`],
  ["control characters in the reason", "HTTP/1.1 200 O\x01K\r\nContent-Length: 0\r\n\r\n"],
  ["a status below 100", "HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n"],
  ["a status above 999", "HTTP/1.1 1000 OK\r\nContent-Length: 0\r\n\r\n"],
  ["headers without end", `${OK}X: ${"y".repeat(100_000)}\r\n\r\n`],
];

for (const [what, answer] of NONSENSE) {
  Deno.test(`502 for a service that answers with ${what}`, async () => {
    strictEqual(await statusOf(answer), "502");
  });
}

Deno.test("502 for a service that hangs up before its answer, or within its head", async () => {
  for (const answer of ["", "HTTP/1.1 200 OK\r\nX: ", "HTTP/1.1 103 Early Hints\r\n\r\n"]) {
    const text = await statusOf(answer, true);
    strictEqual(text, answer.includes("103") ? "103" : "502");
  }
});

Deno.test("502 at once for a service that is down, 503 for a tunnel that is full", async () => {
  await using site = await TunnelSite.open();
  site.add("app", 1);
  const begin = performance.now();
  match(await ask(site.port, HEAD), /^HTTP\/1.1 502 [^]*502 Service is down: /);
  ok(performance.now() - begin < 500);
  site.add("app", 1, { open: () => Promise.reject(new WasimoffError("resource_exhausted", "full")) });
  match(await ask(site.port, HEAD), /^HTTP\/1.1 503 [^]*retry-after: 1\r\n[^]*503 Too busy: /);
  site.add("app", 1, { open: () => Promise.reject(new WasimoffError("deadline_exceeded", "late")) });
  match(await ask(site.port, HEAD), /^HTTP\/1.1 504 /);
});

Deno.test("504 for a service that is silent, and the service is told", async () => {
  await using site = await TunnelSite.open({ silenceMs: 100 });
  await site.raw("app", (socket) => void socket.resume());
  const begin = performance.now();
  match(await ask(site.port, HEAD), /^HTTP\/1.1 504 [^]*504 No answer: /);
  ok(performance.now() - begin < 1_000);
  match(await ask(site.port, `${HEAD}\nExpect: 100-continue\nContent-Length: 4`), /^HTTP\/1.1 408 /);
  await waitUntil(() => site.connections === 0);
  strictEqual(site.connections, 0);
});

Deno.test("the silence ends with the first byte: streams may rest for longer, and uploads may take longer", async () => {
  await using site = await TunnelSite.open({ silenceMs: 100 });
  await site.http("app", async (request, response) => {
    for await (const _ of request);
    response.write("a");
    setTimeout(() => response.end("b"), 300);
  });
  using visitor = new RawVisitor(site.port);
  visitor.send("POST / HTTP/1.1\r\nHost: app.localhost\r\nConnection: close\r\nContent-Length: 6\r\n\r\n");
  for (const byte of "upload") {
    await new Promise((resolve) => setTimeout(resolve, 50));
    visitor.send(byte);
  }
  match(await visitor.end(), /^HTTP\/1.1 200 [^]*1\r\na\r\n1\r\nb\r\n0\r\n\r\n$/);
});

Deno.test("502 for a service that sends interim answers without end", async () => {
  await using site = await TunnelSite.open();
  await site.raw(
    "app",
    (socket) => void socket.once("data", () => socket.write("HTTP/1.1 102 Processing\r\n\r\n".repeat(1_000))),
  );
  match(
    await ask(site.port, HEAD),
    /^(HTTP\/1.1 102 Processing\r\n\r\n){32}HTTP\/1.1 502 [^]*Invalid answer/,
  );
});

Deno.test("interim answers begin the silence anew", async () => {
  await using site = await TunnelSite.open({ silenceMs: 100 });
  await site.http("app", async (_request, response) => {
    for (let i = 0; i < 4; i++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      response.writeProcessing();
    }
    response.end("done");
  });
  match(await ask(site.port, HEAD), /^(HTTP\/1.1 102 Processing\r\n\r\n){4}HTTP\/1.1 200 [^]*done/);
});

Deno.test("a second answer to one request reaches nobody", async () => {
  await using site = await TunnelSite.open();
  let connections = 0;
  for (const pauseMs of [0, 20]) {
    await site.raw("app", (socket) => {
      connections++;
      socket.on("data", () => {
        socket.write(`${OK}Content-Length: 5\r\n\r\nright`);
        const again = () => void socket.write(`${OK}Content-Length: 5\r\n\r\nwrong`);
        if (pauseMs === 0) again();
        else setTimeout(again, pauseMs);
      });
    });
    using visitor = new RawVisitor(site.port);
    for (let i = 1; i <= 3; i++) {
      visitor.send(GET);
      await visitor.until(new RegExp(`(right[^]*){${i}}`));
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
    ok(!visitor.text.includes("wrong"));
  }
  strictEqual(connections, 6);
});

/** A service that answers `good` requests on each connection and then treats further ones by `bad`. */
async function fickle(site: TunnelSite, good: number, bad: (socket: Socket) => void): Promise<string[]> {
  const heard: string[] = [];
  await site.raw("app", (socket) => {
    let answered = 0;
    socket.on("data", (chunk) => {
      heard.push(String(chunk).split(" ")[0]!);
      if (answered++ < good) socket.write(`${OK}Content-Length: 2\r\n\r\nok`);
      else bad(socket);
    });
  });
  return heard;
}

Deno.test("a kept connection that turns out to be dead costs a GET nothing, and a POST is not sent twice", async () => {
  await using site = await TunnelSite.open();
  const heard = await fickle(site, 1, (socket) => socket.destroy());
  using visitor = new RawVisitor(site.port);
  for (let i = 1; i <= 3; i++) {
    visitor.send(GET);
    await visitor.until(new RegExp(`(200 OK[^]*){${i}}`));
  }
  strictEqual(visitor.text.includes("502"), false);
  const before = heard.filter((method) => method === "POST").length;
  // The connection that is kept now has had its one request.
  visitor.send(POST);
  await visitor.until(/HTTP\/1.1 502 /);
  strictEqual(heard.filter((method) => method === "POST").length, before + 1);
});

Deno.test("a GET is sent again once only, and not when the connection was new", async () => {
  await using site = await TunnelSite.open();
  const heard = await fickle(site, 0, (socket) => socket.destroy());
  match(await ask(site.port, HEAD), /^HTTP\/1.1 502 [^]*502 Connection lost: /);
  deepStrictEqual(heard, ["GET"]);
});

Deno.test("a connection that the service closes while it is idle is not used", async () => {
  await using site = await TunnelSite.open();
  let connections = 0;
  await site.raw("app", (socket) => {
    connections++;
    socket.on("data", () => {
      socket.write(`${OK}Content-Length: 2\r\n\r\nok`);
      setTimeout(() => socket.end(), 10);
    });
  });
  using visitor = new RawVisitor(site.port);
  for (let i = 1; i <= 3; i++) {
    visitor.send(POST);
    await visitor.until(new RegExp(`(200 OK[^]*){${i}}`));
    await new Promise((resolve) => setTimeout(resolve, 40));
  }
  deepStrictEqual([connections, visitor.text.includes("502")], [3, false]);
});

Deno.test("a service that answers before it has read a large body is heard, and the rest is not taken for ever", async () => {
  await using site = await TunnelSite.open();
  await site.raw("app", (socket) => {
    socket.once("data", () => {
      socket.pause();
      socket.end("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno");
    });
  });
  using visitor = new RawVisitor(site.port);
  visitor.send("POST / HTTP/1.1\r\nHost: app.localhost\r\nContent-Length: 10000000000\r\n\r\n");
  const chunk = "x".repeat(65_536);
  for (let i = 0; i < 20; i++) visitor.send(chunk);
  await visitor.until(/^HTTP\/1.1 413 [^]*no$/);
  const more = setInterval(() => visitor.send(chunk), 10);
  const begin = performance.now();
  await waitUntil(() => site.visitors === 0);
  while (site.visitors > 0 && performance.now() - begin < 8_000) await new Promise((r) => setTimeout(r, 50));
  clearInterval(more);
  strictEqual(site.visitors, 0);
  ok(performance.now() - begin > 3_000, "a visitor is given time to read the answer");
});
