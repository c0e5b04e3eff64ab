import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import { WasimoffError } from "../../core/errors.ts";
import { dialWebSocket } from "../../core/host/websocket_dialer.ts";
import type { WebSocketRoute } from "../../core/host/websocket_routes.ts";
import { MAX_FRAME_BYTES, SOCKET_LOW_WATER_BYTES } from "../../core/protocol/limits.ts";
import type { Connection } from "../../core/session/connection.ts";
import { ConnectionRecorder } from "../support/connection_recorder.ts";
import { exchange, netTest, type TestNet, waitUntil } from "../support/open_server.ts";

const fetchNothing = () => new Response(null, { status: 404 });

/** A server whose path `/ws` hands its connections out. */
async function serveWebSocket(net: TestNet, route: Partial<WebSocketRoute> = {}) {
  const accepted = Promise.withResolvers<Connection>();
  const server = await net.serve({
    fetch: fetchNothing,
    webSocketRoutes: {
      "/ws": { protocols: ["second", "first"], authorize: () => {}, accept: accepted.resolve, ...route },
    },
  });
  const url = `ws://127.0.0.1:${server.address.port}/ws`;
  return { server, url, accepted: accepted.promise, [Symbol.asyncDispose]: () => server.close() };
}

const upgrade = (...headers: string[]) =>
  [
    "GET /ws HTTP/1.1",
    "Host: a",
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ...headers,
    "\r\n",
  ].join("\r\n");

/** Opens a WebSocket by hand, so that the test decides about every byte. */
async function rawWebSocket(port: number): Promise<Deno.TcpConn> {
  const socket = await Deno.connect({ hostname: "127.0.0.1", port });
  await socket.write(new TextEncoder().encode(upgrade("Sec-WebSocket-Protocol: first")));
  const answer = new Uint8Array(1000);
  const length = await socket.read(answer);
  match(new TextDecoder().decode(answer.subarray(0, length ?? 0)), /^HTTP\/1\.1 101 /);
  return socket;
}

/** Reads until the end of the connection. */
async function readAll(socket: Deno.TcpConn): Promise<number[]> {
  const bytes: number[] = [];
  for (const buffer = new Uint8Array(1000);;) {
    const length = await socket.read(buffer).catch(() => null); // a reset is an end, too
    if (length === null) return bytes;
    bytes.push(...buffer.subarray(0, length));
  }
}

netTest("a WebSocket carries frames in order both ways, by the protocol the server prefers", async (net) => {
  await using ws = await serveWebSocket(net);
  const { connection: client, protocol } = await dialWebSocket(ws.url, { protocols: ["first", "second"] });
  strictEqual(protocol, "second");
  const server = await ws.accepted;
  const [atClient, atServer] = [new ConnectionRecorder(), new ConnectionRecorder()];
  for (let i = 0; i < 50; i++) client.send(new Uint8Array(1 + i * 1000).fill(i)); // before anybody listens
  client.send(new Uint8Array(MAX_FRAME_BYTES).fill(99));
  server.start(atServer);
  server.send(Uint8Array.of(1, 2, 3));
  client.start(atClient);
  await Promise.all([atServer.received(51), atClient.received(1)]);
  deepStrictEqual(atServer.frames.slice(0, 50).map((frame) => [frame.length, frame.at(-1)]), [
    ...Array.from({ length: 50 }, (_, i) => [1 + i * 1000, i]),
  ]);
  strictEqual(atServer.frames[50]!.length, MAX_FRAME_BYTES);
  deepStrictEqual([...atClient.frames[0]!], [1, 2, 3]);

  client.close("unavailable", "moving on");
  client.close("internal", "the first cause wins");
  client.send(Uint8Array.of(4));
  const [clientCause, serverCause] = await Promise.all([atClient.closed, atServer.closed]);
  deepStrictEqual([clientCause.code, clientCause.message], ["unavailable", "moving on"]);
  deepStrictEqual([serverCause.code, serverCause.message], [
    "unavailable",
    "peer closed the connection with 1001: moving on",
  ]);
  strictEqual(atServer.frames.length, 51);
});

netTest("a WebSocket can be handed over to another handler within onFrame", async (net) => {
  await using ws = await serveWebSocket(net);
  const { connection: client } = await dialWebSocket(ws.url, { protocols: ["first"] });
  const server = await ws.accepted;
  const later = new ConnectionRecorder();
  const first: number[] = [];
  server.start({
    onFrame(frame) {
      first.push(frame[0]!);
      server.start(later);
    },
    onDrain: () => {},
    onClose: () => {},
  });
  for (const byte of [1, 2, 3]) client.send(Uint8Array.of(byte));
  await later.received(2);
  deepStrictEqual([first, later.frames.map((frame) => frame[0])], [[1], [2, 3]]);
});

netTest("a WebSocket says how much waits, and when it has drained", async (net) => {
  await using ws = await serveWebSocket(net);
  const { connection: client } = await dialWebSocket(ws.url, { protocols: ["first"] });
  const server = await ws.accepted;
  const [atClient, atServer] = [new ConnectionRecorder(), new ConnectionRecorder()];
  client.start(atClient);
  client.send(new Uint8Array(1000));
  // More than the kernel takes while nobody reads.
  for (let i = 0; i < 512; i++) client.send(new Uint8Array(65_536));
  ok(client.buffered > SOCKET_LOW_WATER_BYTES, `${client.buffered} bytes wait`);
  strictEqual(atClient.drains, 0);
  server.start(atServer);
  await atServer.received(513);
  await waitUntil(() => atClient.drains > 0);
  strictEqual(atClient.drains, 1);
  ok(client.buffered < SOCKET_LOW_WATER_BYTES, `${client.buffered} bytes wait`);
});

netTest("a server that never starts a connection makes its client wait instead of buffering", async (net) => {
  await using ws = await serveWebSocket(net);
  const { connection: client } = await dialWebSocket(ws.url, { protocols: ["first"] });
  client.start(new ConnectionRecorder());
  await ws.accepted;
  const total = 32 << 20;
  for (let sent = 0; sent < total; sent += 65_536) client.send(new Uint8Array(65_536));
  await new Promise((resolve) => setTimeout(resolve, 200));
  ok(client.buffered > total / 2, `only ${client.buffered} bytes wait`);
});

netTest("60 MiB frames that never end are closed with 1009 before anything is buffered", async (net) => {
  await using ws = await serveWebSocket(net, {
    accept: (connection) => connection.start(new ConnectionRecorder()),
  });
  const header = Uint8Array.of(0x82, 0xff, 0, 0, 0, 0, 0x03, 0xc0, 0, 0, 0, 0, 0, 0);
  const before = Deno.memoryUsage().rss;
  const attack = async () => {
    using socket = await rawWebSocket(ws.server.address.port);
    await socket.write(header);
    const flood = async () => {
      for (let i = 0; i < 160; i++) await socket.write(new Uint8Array(65_536)); // 10 MiB
    };
    const [bytes] = await Promise.all([readAll(socket), flood().catch(() => {})]); // it is cut off
    return bytes;
  };
  const answers = await Promise.all(Array.from({ length: 20 }, attack));
  for (const bytes of answers) {
    if (bytes.length > 0) deepStrictEqual(bytes.slice(0, 4), [0x88, 2, 1009 >> 8, 1009 & 0xff]);
  }
  ok(answers.some((bytes) => bytes.length > 0));
  const grown = (Deno.memoryUsage().rss - before) / 2 ** 20;
  ok(grown < 150, `memory grew by ${grown} MiB`);
});

netTest(
  "a frame above the limit ends the connection with out_of_range, others notice nothing",
  async (net) => {
    const recorders: ConnectionRecorder[] = [];
    await using ws = await serveWebSocket(net, {
      accept: (connection) => {
        const recorder = new ConnectionRecorder();
        recorders.push(recorder);
        connection.start(recorder);
      },
    });
    const [bad, good] = [
      (await dialWebSocket(ws.url, { protocols: ["first"] })).connection,
      (await dialWebSocket(ws.url, { protocols: ["first"] })).connection,
    ];
    const atBad = new ConnectionRecorder();
    bad.start(atBad);
    bad.send(new Uint8Array(MAX_FRAME_BYTES + 1));
    strictEqual((await recorders[0]!.closed).code, "out_of_range");
    strictEqual((await atBad.closed).code, "out_of_range");
    good.send(Uint8Array.of(7));
    await recorders[1]!.received(1);
  },
);

netTest("a text frame closes the connection with 1003", async (net) => {
  const recorder = new ConnectionRecorder();
  await using ws = await serveWebSocket(net, { accept: (connection) => connection.start(recorder) });
  using socket = await rawWebSocket(ws.server.address.port);
  await socket.write(Uint8Array.of(0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69));
  const bytes = new Uint8Array(100);
  ok((await socket.read(bytes) ?? 0) > 4);
  deepStrictEqual([...bytes.subarray(2, 4)], [1003 >> 8, 1003 & 0xff]);
  await socket.closeWrite();
  strictEqual((await recorder.closed).code, "unimplemented");
  deepStrictEqual(recorder.frames, []);
});

netTest("close() destroys the socket of a peer that does not answer within 2 s", async (net) => {
  const recorder = new ConnectionRecorder();
  await using ws = await serveWebSocket(net);
  using _silent = await rawWebSocket(ws.server.address.port);
  const server = await ws.accepted;
  server.start(recorder);
  const begin = performance.now();
  server.close("deadline_exceeded", "x".repeat(500));
  const cause = await recorder.closed;
  strictEqual(cause.code, "deadline_exceeded");
  const took = performance.now() - begin;
  ok(took > 1_500 && took < 3_500, `took ${took} ms`);
});

netTest("a broken connection is unavailable", async (net) => {
  const recorder = new ConnectionRecorder();
  await using ws = await serveWebSocket(net, { accept: (connection) => connection.start(recorder) });
  const socket = await rawWebSocket(ws.server.address.port);
  socket.close();
  const cause = await recorder.closed;
  deepStrictEqual([cause.code, cause.message], ["unavailable", "connection broke"]);
});

netTest(
  "an upgrade is refused with the status of the error: no route, not allowed, two hosts",
  async (net) => {
    await using ws = await serveWebSocket(net, {
      authorize: ({ headers, remoteAddress, url }) => {
        deepStrictEqual([remoteAddress, url.pathname], ["127.0.0.1", "/ws"]);
        if (headers.get("origin") !== null) {
          throw new WasimoffError("permission_denied", "origin is not allowed");
        }
      },
    });
    const { port } = ws.server.address;
    const refused = await exchange(port, [upgrade("Origin: http://evil.example")]);
    match(refused, /^HTTP\/1\.1 403 Forbidden\r\n/);
    match(refused, /\r\n\r\n\{"error":\{"code":"permission_denied","message":"origin is not allowed"\}\}$/);
    match(await exchange(port, [upgrade("Host: b")]), /^HTTP\/1\.1 400 /);
    match(await exchange(port, [upgrade().replace("/ws", "/other")]), /^HTTP\/1\.1 404 /);
    match(await exchange(port, [upgrade().replace("Version: 13", "Version: 7")]), /^HTTP\/1\.1 400 /);
    await rejects(dialWebSocket(ws.url, { protocols: ["first"], headers: { origin: "null" } }), {
      code: "permission_denied",
      message: `"${ws.url}" refused the connection: HTTP status 403`,
    });
  },
);

netTest("a client with none of our protocols gets 101 and then close 1002 with the list", async (net) => {
  await using ws = await serveWebSocket(net);
  using socket = await Deno.connect({ hostname: "127.0.0.1", port: ws.server.address.port });
  await socket.write(new TextEncoder().encode(upgrade("Sec-WebSocket-Protocol: other")));
  let text = "";
  while (!text.endsWith("[second first]")) {
    const buffer = new Uint8Array(1000);
    text += new TextDecoder("latin1").decode(buffer.subarray(0, await socket.read(buffer) ?? 0));
  }
  match(text, /^HTTP\/1\.1 101 /);
  ok(!/sec-websocket-protocol/i.test(text));
  ok(text.endsWith("\x03\xeasupported protocols: [second first]"), "1002 is 03 ea");
  await rejects(dialWebSocket(ws.url, { protocols: ["other"] }), { code: "unimplemented" });
});

netTest("dialWebSocket() names the URL that cannot be reached", async (net) => {
  const server = await net.serve({ fetch: fetchNothing });
  const url = `ws://127.0.0.1:${server.address.port}/ws`;
  await rejects(dialWebSocket(url, { protocols: ["first"] }), { code: "unimplemented" });
  await server.close();
  await rejects(dialWebSocket(url, { protocols: ["first"] }), {
    code: "unavailable",
    message: `cannot reach "${url}": nothing listens there, start one with: wasimoff broker`,
  });
  await rejects(dialWebSocket("ws://no-such-host.invalid/", { protocols: ["first"] }), {
    code: "unavailable",
  });
});

netTest("dialWebSocket() reports a server that speaks no TLS", async (net) => {
  await using server = await net.serve({ fetch: fetchNothing });
  await rejects(dialWebSocket(`wss://127.0.0.1:${server.address.port}/`, { protocols: ["first"] }), {
    code: "unavailable",
  });
});

netTest("dialWebSocket() gives up when its signal is aborted", async (net) => {
  const hang = Promise.withResolvers<void>();
  await using ws = await serveWebSocket(net, { authorize: () => hang.promise });
  const signal = AbortSignal.timeout(50);
  await rejects(dialWebSocket(ws.url, { protocols: ["first"], signal }), { code: "deadline_exceeded" });
  await rejects(dialWebSocket(ws.url, { protocols: ["first"], signal }), { code: "deadline_exceeded" });
  hang.resolve();
});
