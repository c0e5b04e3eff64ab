import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
// @ts-types="npm:@types/ws@8.18.2"
import { WebSocket } from "ws";
import { generateTunnelKey } from "../../core/tunnel/tunnel_key.ts";
import { BrickchainBroker } from "../support/brickchain_broker.ts";
import { exchange, netTest, type TestNet, waitUntil } from "../support/open_server.ts";
import { ScriptedBrickchainClient } from "../support/scripted_brickchain_client.ts";
import { within } from "../support/within.ts";

const key = await generateTunnelKey();

async function registered(net: TestNet) {
  const stack = new AsyncDisposableStack();
  const broker = stack.use(await BrickchainBroker.start(net));
  const client = stack.use(await ScriptedBrickchainClient.connect(broker.url));
  const { keyID } = await client.register(key, broker.url);
  return { broker, client, id: keyID as string, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** A WebSocket of the public, and what it hears. */
class Visitor {
  readonly messages: (string | Uint8Array)[] = [];
  readonly closed: Promise<{ code: number; reason: string }>;

  private constructor(readonly socket: WebSocket) {
    socket.binaryType = "nodebuffer";
    socket.on("message", (data, isBinary) => {
      this.messages.push(isBinary ? Uint8Array.from(data as Uint8Array) : data.toString());
    });
    this.closed = within(
      new Promise((resolve) =>
        socket.on("close", (code, reason) => resolve({ code, reason: reason.toString() }))
      ),
      "the end of the visitor's WebSocket",
    );
  }

  static async open(url: string, protocols: string[] = [], headers = {}): Promise<Visitor> {
    const socket = new WebSocket(url.replace("http", "ws"), protocols, { headers, perMessageDeflate: false });
    const visitor = new Visitor(socket);
    await new Promise((resolve, reject) => socket.on("open", resolve).on("error", reject));
    return visitor;
  }

  async heard(count: number): Promise<(string | Uint8Array)[]> {
    await waitUntil(() => this.messages.length >= count);
    return this.messages;
  }
}

async function opened(all: Awaited<ReturnType<typeof registered>>) {
  const visitor = await Visitor.open(all.broker.at(all.id, "/ws"));
  const { "@id": id } = await all.client.expect("ws-request");
  all.client.tell("ws-response", id as string, { ok: true });
  return { visitor, id: id as string };
}

netTest("a WebSocket is asked for as recorded, without the parts of its handshake", async (net) => {
  await using all = await registered(net);
  const visitor = await Visitor.open(all.broker.at(all.id, "/a%20b?q=1"), [], {
    "cookie": "c=1",
    "sec-websocket-protocol": "one, two",
  });
  const { "@id": id, "@timestamp": _, ...request } = await all.client.expect("ws-request");
  deepStrictEqual(request, {
    "@type": "https://proxy.brickchain.com/v1/ws-request.json",
    url: "/a b",
    query: "q=1",
    headers: { "Cookie": "c=1", "Sec-Websocket-Protocol": "one, two" },
  });
  all.client.tell("ws-response", id as string, { ok: false, error: "connection refused" });
  deepStrictEqual(await visitor.closed, { code: 1011, reason: "connection refused" });
});

netTest("messages pass both ways in order, text as text and bytes as bytes", async (net) => {
  await using all = await registered(net);
  const { visitor, id } = await opened(all);
  visitor.socket.send("grüße");
  visitor.socket.send(new TextEncoder().encode("bytes"));
  visitor.socket.send(Uint8Array.of(0xff, 0xfe, 0x00, 0x01, 0x80));
  const received = [];
  for (let i = 0; i < 3; i++) {
    const { messageType, body } = await all.client.expect("ws-message");
    received.push([messageType, body]);
  }
  deepStrictEqual(received, [[1, "grüße"], [2, "bytes"], [2, "\udcff\udcfe\0\x01\udc80"]]);
  for (let i = 0; i < 100; i++) all.client.tell("ws-message", id, { messageType: 1, body: String(i) });
  all.client.tell("ws-message", id, { messageType: 2, body: "b" });
  all.client.tell("ws-message", id, { messageType: 2, body: "\udcff" });
  deepStrictEqual(await visitor.heard(102), [
    ...Array.from({ length: 100 }, (_, i) => String(i)),
    Uint8Array.of(0x62),
    Uint8Array.of(0xff),
  ]);
  visitor.socket.close();
  strictEqual((await all.client.expect("ws-teardown"))["@id"], id);
  await visitor.closed;
});

netTest(
  "what is said before the client answers waits for it, and a message counts as the answer",
  async (net) => {
    await using all = await registered(net);
    const visitor = await Visitor.open(all.broker.at(all.id, "/ws"));
    visitor.socket.send("early");
    const { "@id": id } = await all.client.expect("ws-request");
    all.client.tell("ws-message", id as string, { messageType: 1, body: "first" });
    deepStrictEqual(await visitor.heard(1), ["first"]);
    strictEqual((await all.client.expect("ws-message")).body, "early");
    all.client.tell("ws-teardown", id as string);
    strictEqual((await visitor.closed).code, 1000);
  },
);

netTest("Connection may list more than upgrade, as Firefox has it", async (net) => {
  await using all = await registered(net);
  const { port } = all.broker;
  const socket = await Deno.connect({ hostname: "127.0.0.1", port });
  await socket.write(new TextEncoder().encode(
    `GET /proxy/request/${all.id}/ws HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\n` +
      "Upgrade: WebSocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
  ));
  const answer = new Uint8Array(1_000);
  const length = await socket.read(answer);
  match(new TextDecoder().decode(answer.subarray(0, length!)), /^HTTP\/1\.1 101 /);
  strictEqual((await all.client.expect("ws-request")).url, "/ws");
  socket.close();
});

netTest("one subprotocol alone is agreed to, as browsers insist", async (net) => {
  await using all = await registered(net);
  const visitor = await Visitor.open(all.broker.at(all.id, "/ws"), ["vite-hmr"]);
  strictEqual(visitor.socket.protocol, "vite-hmr");
  visitor.socket.terminate();
  await visitor.closed;
});

netTest("an unknown id refuses the upgrade, and so do other protocols and bodies", async (net) => {
  await using all = await registered(net);
  const ask = (id: string, upgrade: string, more = "") =>
    exchange(all.broker.port, [
      `GET /proxy/request/${id}/ HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: ${upgrade}\r\n` +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${more}\r\n`,
    ]);
  match(await ask("nobody", "websocket"), /^HTTP\/1\.1 502 [^]*failed to get client/);
  match(await ask(all.id, "websocket", "Content-Length: 3\r\n"), /^HTTP\/1\.1 400 /);
  const plain = ask(all.id, "h2c");
  strictEqual((await all.client.answer({ body: "aGVsbG8K" })).method, "GET");
  match(await plain, /^HTTP\/1\.1 200 [^]*hello\n/);
});

netTest("messages beyond the limit end their WebSocket alone", async (net) => {
  await using all = await registered(net);
  const first = await opened(all);
  first.visitor.socket.send("x".repeat(511_900)); // its frame is above
  strictEqual((await first.visitor.closed).code, 1009);
  strictEqual((await all.client.expect("ws-teardown"))["@id"], first.id);
  const second = await opened(all);
  second.visitor.socket.send("x".repeat(512_001)); // ws itself refuses it
  strictEqual((await second.visitor.closed).code, 1009);
  strictEqual((await all.client.expect("ws-teardown"))["@id"], second.id);
  const third = await opened(all);
  all.client.tell("ws-message", third.id, { messageType: 9, body: "" });
  strictEqual((await third.visitor.closed).code, 1007);
});

netTest("WebSockets end with their client, and with one that does not read", async (net) => {
  await using all = await registered(net);
  const slow = await opened(all);
  slow.visitor.socket.pause();
  for (let i = 0; i < 60; i++) {
    all.client.tell("ws-message", slow.id, { messageType: 1, body: "x".repeat(400_000) });
  }
  strictEqual((await all.client.expect("ws-teardown"))["@id"], slow.id);
  slow.visitor.socket.terminate();
  const { visitor } = await opened(all);
  all.client.vanish();
  deepStrictEqual(await visitor.closed, { code: 1001, reason: "tunnel client is gone" });
});
