/** The rendezvous as raw bytes on a socket: what ordinary clients never send, and what must not be answered. */

import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { Logger } from "../../core/log.ts";
import type { RendezvousHost } from "../../core/host/rendezvous_host.ts";
import { startRendezvous } from "../support/rendezvous_server.ts";
import { within } from "../support/within.ts";

const poll = (sid: string) =>
  JSON.stringify({ Sid: sid, Version: "1.3", NAT: "unrestricted", AcceptedRelayPattern: "" });

function request(method: string, path: string, body = "", headers: readonly string[] = []): string {
  const length = body === "" ? [] : [`Content-Length: ${body.length}`];
  return [`${method} ${path} HTTP/1.1`, "Host: front.example", ...headers, ...length, "", body].join("\r\n");
}

/** A connection, and all that has come over it. */
class Wire implements Disposable {
  received = "";
  ended = false;
  readonly #socket: Socket;
  #wake = () => {};

  constructor({ address }: RendezvousHost) {
    this.#socket = connect(address!.port, "127.0.0.1");
    this.#socket.on("data", (chunk) => {
      this.received += chunk.toString("latin1");
      this.#wake();
    });
    this.#socket.on("error", () => {});
    this.#socket.on("close", () => {
      this.ended = true;
      this.#wake();
    });
  }

  send(text: string): void {
    this.#socket.write(text, "latin1");
  }

  /** Waits until what has come matches, so often with a global pattern. */
  async got(pattern: RegExp, times = 1): Promise<void> {
    const waiting = async () => {
      while ((this.received.match(pattern)?.length ?? 0) < times) {
        await new Promise<void>((resolve) => this.#wake = resolve);
      }
    };
    await within(waiting(), String(pattern));
  }

  async closed(): Promise<void> {
    const waiting = async () => {
      while (!this.ended) await new Promise<void>((resolve) => this.#wake = resolve);
    };
    await within(waiting(), "the end of the connection");
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}

async function debugLine(host: RendezvousHost): Promise<string> {
  const text = await (await fetch(`http://127.0.0.1:${host.address!.port}/debug`)).text();
  return text.split("\n", 1)[0]!;
}

async function untilProxies(host: RendezvousHost, count: number): Promise<void> {
  const waiting = async () => {
    while (await debugLine(host) !== `current snowflakes available: ${count}`) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  await within(waiting(), `${count} proxies`);
}

/** Status, and whether pages of other origins may read the answer. */
async function answerTo(host: RendezvousHost, text: string): Promise<[status: number, cors: boolean]> {
  using wire = new Wire(host);
  wire.send(text);
  await wire.got(/\r\n\r\n/);
  const cors = /^Access-Control-Allow-Origin: \*\r$/m.test(wire.received);
  equal(cors, /^Access-Control-Allow-Headers: Origin, X-Session-ID\r$/m.test(wire.received));
  return [Number(wire.received.slice(9, 12)), cors];
}

Deno.test("rendezvous lets a client that waits for 100 Continue send its body", async () => {
  await using host = await startRendezvous();
  using wire = new Wire(host);
  const body = "1.0\n{}";
  wire.send(request("POST", "/client", body, ["Expect: 100-continue"]).slice(0, -body.length));
  await wire.got(/^HTTP\/1\.1 100 Continue\r\n\r\n$/);
  wire.send(body);
  await wire.got(/\{"error":"no supplied offer"\}$/);
  deepEqual(
    await answerTo(
      host,
      "POST /client HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 100001\r\n\r\n",
    ),
    [400, true],
    "one that is too large is refused without being asked for",
  );
  using old = new Wire(host);
  old.send("POST /client HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 6\r\n\r\n1.0\n{}");
  await old.got(/^HTTP\/1\.1 200 OK\r\n[^]*\{"error":"no supplied offer"\}$/);
});

Deno.test("rendezvous forgets polls that were sent ahead when their connection ends", async () => {
  await using host = await startRendezvous();
  {
    using wire = new Wire(host);
    wire.send(["a", "b", "c"].map((sid) => request("POST", "/proxy", poll(sid))).join(""));
    await untilProxies(host, 1); // the others wait for their turn
  }
  await untilProxies(host, 0);
});

Deno.test("rendezvous answers requests that were sent ahead in their order, and cuts off who sends too many", async () => {
  await using host = await startRendezvous();
  using wire = new Wire(host);
  wire.send(
    request("POST", "/client", "1.0\n{}") + request("GET", "/nothing") + request("GET", "/robots.txt"),
  );
  await wire.got(/no supplied offer[^]*404 Not Found[^]*Disallow: \/\n$/);
  using patient = new Wire(host);
  for (const count of [12, 24]) {
    patient.send(request("GET", "/robots.txt").repeat(12));
    await patient.got(/Disallow/g, count);
  }
  using hostile = new Wire(host);
  hostile.send(request("POST", "/proxy", poll("a")) + request("GET", "/debug").repeat(17));
  await hostile.closed();
  equal(hostile.received, "");
  await untilProxies(host, 0);
});

Deno.test("rendezvous gives back the shares of peers that wait under names, however they leave", async () => {
  await using host = await startRendezvous({ pollsPerAddress: 2 });
  const ahead = (name: string) =>
    request("POST", `/rendezvous/${name}`, "offer", ["X-Forwarded-For: 192.0.2.1"]);
  // Nothing says from outside that a peer waits, or that it is gone.
  const settle = () => new Promise((resolve) => setTimeout(resolve, 50));
  for (let round = 0; round < 3; round++) {
    using first = new Wire(host);
    first.send(ahead(`a${round}`) + ahead(`b${round}`) + ahead(`c${round}`));
    using second = new Wire(host);
    second.send(ahead(`d${round}`));
    await settle();
    using third = new Wire(host);
    third.send(ahead(`e${round}`));
    await third.got(/^HTTP\/1\.1 429 [^]*your address waits here too often/);
    deepEqual([first.received, second.received], ["", ""], `round ${round}: they wait`);
    for (const wire of [first, second]) wire[Symbol.dispose]();
    await settle();
    using later = new Wire(host);
    later.send(request("POST", `/rendezvous/a${round}`, "offer"));
    await settle();
    equal(later.received, "", "the one that has left is not met");
  }
});

Deno.test("rendezvous asks a proxy for each of its requests for whom it speaks", async () => {
  await using host = await startRendezvous({ pollsPerAddress: 1 });
  const forwarded = ["X-Forwarded-For: 192.0.2.1"];
  using holding = new Wire(host);
  holding.send(request("POST", "/proxy", poll("a"), forwarded));
  await untilProxies(host, 1);
  using wire = new Wire(host);
  wire.send(request("POST", "/proxy", poll("b"), forwarded));
  await wire.got(/^HTTP\/1\.1 429 /);
  wire.send(request("POST", "/proxy", poll("b")));
  await untilProxies(host, 2);
  using other = new Wire(host);
  other.send(request("POST", "/proxy", poll("c"), ["X-Forwarded-For: 2001:db8::1"]));
  await untilProxies(host, 3);
  using neighbour = new Wire(host);
  neighbour.send(request("POST", "/proxy", poll("d"), ["X-Forwarded-For: 2001:db8::2"]));
  await neighbour.got(/^HTTP\/1\.1 429 /);
});

Deno.test("rendezvous lets pages of any origin read what the reference broker lets them, and nothing else", async () => {
  await using host = await startRendezvous();
  const table: [method: string, path: string, status: number, cors: boolean][] = [
    ["OPTIONS", "/proxy", 200, true],
    ["OPTIONS", "/client", 200, true],
    ["OPTIONS", "/answer", 200, true],
    ["OPTIONS", "/debug", 200, true],
    ["OPTIONS", "/metrics", 200, true],
    ["OPTIONS", "/amp/client/0/x", 200, true],
    ["OPTIONS", "/prometheus", 200, false],
    ["OPTIONS", "/robots.txt", 200, false],
    ["OPTIONS", "/nothing", 404, false],
    ["GET", "/metrics", 404, true],
    ["GET", "/nothing", 404, false],
    ["GET", "/prometheus", 200, false],
    ["HEAD", "/answer", 400, true],
    ["PUT", "/proxy", 400, true],
    ["DELETE", "/client", 200, true],
  ];
  for (const [method, path, status, cors] of table) {
    deepEqual(await answerTo(host, request(method, path)), [status, cors], `${method} ${path}`);
  }
});

Deno.test("rendezvous takes paths in every form in which the reference broker would redirect them", async () => {
  await using host = await startRendezvous();
  const table: [path: string, status: number][] = [
    ["/debug?x=//y", 200],
    ["//debug", 200],
    ["http://front.example/debug", 200],
    ["http://front.example//debug?", 200],
    ["/amp/client", 200],
    ["/amp//client//0//x", 200],
    ["/debug/", 404],
    ["/proxy/subscribe", 404],
    ["/proxy/request/x", 404],
    ["/amp/other", 404],
    ["http://front.example", 404],
    ["*", 404],
  ];
  for (const [path, status] of table) {
    const [got] = await answerTo(host, request("GET", path));
    equal(got, status, path);
  }
});

Deno.test("rendezvous carries what it is given untouched, also a byte order mark", async () => {
  await using host = await startRendezvous();
  using first = new Wire(host);
  using second = new Wire(host);
  first.send(request("POST", "/rendezvous/name", "\xef\xbb\xbfv=0"));
  await new Promise((resolve) => setTimeout(resolve, 50)); // nothing says from outside that it waits
  second.send(request("POST", "/rendezvous/name", "x"));
  await second.got(/\{"offer":"\xef\xbb\xbfv=0","id":"[0-9a-f]{32}"\}$/);
});

Deno.test("rendezvous refuses further polls while it closes, and ends those that wait", async () => {
  const host = await startRendezvous();
  using wire = new Wire(host);
  wire.send(request("POST", "/proxy", poll("a")).repeat(2)); // the second one has its turn after the first
  await untilProxies(host, 1);
  await host.close();
  await wire.closed();
  match(
    wire.received,
    /"Status":"no match"[^]*HTTP\/1\.1 503 Service Unavailable\r\n[^]*Connection: close\r\n/,
  );
});

Deno.test("rendezvous creates its metrics log at the start, and says what is wrong with it", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const metricsLog = `${directory}/log`;
    await using host = await startRendezvous({ metricsLog });
    const get = async () => {
      const response = await fetch(`http://127.0.0.1:${host.address!.port}/metrics`);
      return [response.status, response.headers.get("content-type"), await response.text()];
    };
    const text = "text/plain; charset=utf-8";
    deepEqual(await get(), [200, text, ""]);
    await Deno.remove(metricsLog);
    deepEqual(await get(), [404, text, "404 page not found\n"]);
    await Deno.mkdir(metricsLog);
    deepEqual(await get(), [500, null, ""]);
    await rejects(startRendezvous({ metricsLog: directory }), (error: Error) => {
      match(error.message, /^open metrics log "/);
      return true;
    });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("rendezvous outlives its own defects, and logs no addresses unless it is told to", async () => {
  const clientAddress = () => {
    throw new Error("lost 192.0.2.9");
  };
  for (const [unsafeLogging, address] of [[false, "[scrubbed]"], [true, "192.0.2.9"]] as const) {
    const logged: string[] = [];
    const logger = new Logger((level, message, { error }) => logged.push(`${level} ${message} ${error}`));
    await using host = await startRendezvous({ clientAddress, logger, unsafeLogging });
    deepEqual(await answerTo(host, request("POST", "/proxy", poll("a"))), [500, true]);
    deepEqual(logged, [`error request failed Error: lost ${address}`]);
  }
});

Deno.test("rendezvous goes on after bytes that are no HTTP", async () => {
  await using host = await startRendezvous();
  const table = [
    "\x00\x01\x02\r\n\r\n",
    "POST /proxy HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "POST /proxy HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    `GET /debug HTTP/1.1\r\nHost: x\r\nX: ${"a".repeat(20_000)}\r\n\r\n`,
    "GET /debug HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    "CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n",
  ];
  for (const bytes of table) {
    using wire = new Wire(host);
    wire.send(bytes);
    await wire.closed();
    ok(/^(?:$|HTTP\/1\.1 4)/.test(wire.received), wire.received.slice(0, 100));
  }
  equal(await debugLine(host), "current snowflakes available: 0");
});
