/** The raw end of tunnels, and the library beside it: bytes in binary messages, as wasmws has them. */

import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { randomBytes } from "node:crypto";
// @ts-types="npm:@types/ws@8.18.2"
import { WebSocket } from "ws";
import { dial, listen } from "../../core/host/byte_listener.ts";
import { startHash } from "../../core/host/hash.ts";
import type { ByteConn } from "../../core/tunnel/byte_conn.ts";
import { TcpService } from "../support/tcp_service.ts";
import { TunnelCluster } from "../support/tunnel_cluster.ts";
import { within } from "../support/within.ts";

const encoder = new TextEncoder();

async function readAll(conn: ByteConn): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  const buffer = new Uint8Array(16_384);
  for (;;) {
    const length = await within(conn.read(buffer), "a read");
    if (length === null) return Uint8Array.from(chunks.flatMap((chunk) => [...chunk]));
    chunks.push(buffer.slice(0, length));
  }
}

function digest(bytes: Uint8Array): string {
  const hash = startHash();
  hash.update(bytes);
  return hash.digest();
}

interface Scene {
  readonly cluster: TunnelCluster;
  url(name: string): string;
}

function tunnelTest(name: string, run: (scene: Scene) => Promise<void>): void {
  Deno.test(`/api/tunnel/NAME/ws ${name}`, async () => {
    await using cluster = await TunnelCluster.start();
    const url = (name: string) => `ws://127.0.0.1:${cluster.cluster.port}/api/tunnel/${name}/ws`;
    await run({ cluster, url });
  });
}

tunnelTest("carries bytes both ways to the service behind a tunnel", async ({ cluster, url }) => {
  await using echo = await TcpService.echo();
  const tunnel = await cluster.tunnel({ name: "db", service: echo.port });
  using conn = await dial(url("db"));
  const sent = new Uint8Array(randomBytes(3_000_000));
  const writing = conn.write(sent);
  const received = new Uint8Array(sent.length);
  for (let at = 0; at < sent.length;) {
    at += await within(conn.read(received.subarray(at)), "a read") ?? sent.length;
  }
  equal(await writing, sent.length);
  equal(digest(received), digest(sent));
  equal(conn.remoteAddr.port, cluster.cluster.port);
  conn.close();
  await tunnel.stop();
});

tunnelTest("ends with the service, after its last byte", async ({ cluster, url }) => {
  await using service = await TcpService.start((socket) => socket.end("the last words"));
  const tunnel = await cluster.tunnel({ name: "db", service: service.port });
  using conn = await dial(url("db"));
  equal(new TextDecoder().decode(await readAll(conn)), "the last words");
  await rejects(async () => {
    for (;;) await conn.write(encoder.encode("too late"));
  }, /closed/);
  await tunnel.stop();
});

tunnelTest("ends the service's connection with the visitor's", async ({ cluster, url }) => {
  const ended = Promise.withResolvers<string>();
  let text = "";
  await using service = await TcpService.start((socket) => {
    socket.on("data", (chunk: Uint8Array) => text += new TextDecoder().decode(chunk));
    socket.on("end", () => ended.resolve(text));
  });
  const tunnel = await cluster.tunnel({ name: "db", service: service.port });
  const conn = await dial(url("db"));
  await conn.write(encoder.encode("good"));
  await conn.write(encoder.encode("bye"));
  conn.close();
  equal(await within(ended.promise, "the end at the service"), "goodbye");
  await tunnel.stop();
});

tunnelTest("takes pages of any origin, subprotocols too, and refuses text", async ({ cluster, url }) => {
  await using echo = await TcpService.echo();
  const tunnel = await cluster.tunnel({ name: "db", service: echo.port });
  const socket = new WebSocket(url("db"), ["base64", "binary"], { origin: "https://elsewhere.example" });
  await within(new Promise((resolve) => socket.once("open", resolve)), "the open");
  equal(socket.protocol, "binary");
  socket.send("text");
  const code = await within(new Promise((resolve) => socket.once("close", resolve)), "the close");
  equal(code, 1003);
  await tunnel.stop();
});

tunnelTest("keeps no more than a window for a visitor that does not read", async ({ cluster, url }) => {
  let written = 0;
  await using service = await TcpService.start((socket) => {
    const chunk = new Uint8Array(65_536);
    const pump = () => {
      while (!socket.destroyed) {
        written += chunk.length;
        if (!socket.write(chunk)) return void socket.once("drain", pump);
      }
    };
    pump();
  });
  const tunnel = await cluster.tunnel({ name: "db", service: service.port });
  const conn = await dial(url("db"));
  let before = -1;
  for (let i = 0; i < 50 && written !== before; i++) {
    before = written;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  equal(written, before, "it stands still");
  ok(written < 32 * 1024 * 1024, `${written} bytes are under way`);
  conn.close();
  await tunnel.stop();
});

tunnelTest("says by status why there is no connection", async ({ cluster, url }) => {
  const tunnel = await cluster.tunnel({ name: "down", service: 9 });
  const closed = await cluster.tunnel({ name: "closed", service: 9, allowCidrs: ["192.0.2.0/24"] });
  const web = await cluster.tunnel({ name: "web", service: 9, kind: "http" });
  const status = async (name: string) => {
    const socket = new WebSocket(url(name));
    socket.on("error", () => {});
    return await within(
      new Promise((resolve) =>
        socket.once("unexpected-response", (request, response) => {
          response.resume();
          response.once("end", () => resolve(response.statusCode));
          response.once("end", () => request.destroy());
        })
      ),
      `the answer for ${name}`,
    );
  };
  deepEqual(await Promise.all(["unknown", "down", "closed", "web"].map(status)), [404, 502, 403, 412]);
  const get = await fetch(url("down").replace("ws:", "http:"));
  equal(get.status, 400);
  match(await get.text(), /a WebSocket is expected here/);
  await Promise.all([tunnel.stop(), closed.stop(), web.stop()]);
});

Deno.test("dial() and listen() give what the platform's connections and listeners are", async () => {
  const listener = await listen({ hostname: "127.0.0.1", port: 0, path: "/bytes" });
  const shape: Deno.Listener = listener;
  const url = `ws://127.0.0.1:${(shape.addr as Deno.NetAddr).port}`;
  const serving = (async () => {
    for await (const conn of listener) void conn.readable.pipeTo(conn.writable);
  })();
  using conn: Deno.Conn = await dial(`${url}/bytes`);
  await conn.write(encoder.encode("hello"));
  const buffer = new Uint8Array(3);
  deepEqual([await conn.read(buffer), new TextDecoder().decode(buffer)], [3, "hel"]);
  deepEqual([await conn.read(buffer), new TextDecoder().decode(buffer.subarray(0, 2))], [2, "lo"]);
  await conn.closeWrite();
  equal(await conn.read(buffer), null);
  await rejects(dial(`${url}/other`), /HTTP status 404/);
  await rejects(
    dial(`${url}/bytes`, { headers: { origin: "https://elsewhere.example" } }),
    /HTTP status 403/,
  );
  await rejects(dial(url, { deadline: new Date(Date.now() - 1) }), /was not reached in time/);
  await using mute = await TcpService.start(() => {});
  const soon = new Date(Date.now() + 50);
  await rejects(dial(`ws://127.0.0.1:${mute.port}/`, { deadline: soon }), /was not reached in time/);
  listener.close();
  await serving;
  await within(listener.finished, "the end of the listener");
  await rejects(async () => await listener.accept(), /closed/);
});

Deno.test("dial() sends no message that existing servers refuse", async () => {
  const lengths: number[] = [];
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => lengths.push(data.byteLength);
    return response;
  });
  const conn = await dial(`ws://127.0.0.1:${server.addr.port}/`);
  await conn.write(new Uint8Array(100_000));
  conn.close();
  const sum = () => lengths.reduce((total, length) => total + length, 0);
  for (let i = 0; i < 200 && sum() < 100_000; i++) await new Promise((resolve) => setTimeout(resolve, 10));
  deepEqual(lengths, [32_768, 32_768, 32_768, 1_696]);
});
