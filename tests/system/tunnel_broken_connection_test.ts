/** What visitors of a tunnel notice of connections that break between the broker, its clients and other visitors: nothing. */

import { deepEqual, equal, ok } from "node:assert/strict";
import { createHash, type Hash } from "node:crypto";
import { once } from "node:events";
import { delay } from "../../core/delay.ts";
import { freePorts, TcpClient, TcpService } from "../support/tcp_service.ts";
import { TunnelCluster } from "../support/tunnel_cluster.ts";
import { within } from "../support/within.ts";

/** WASIMOFF_TEST_TRANSFER_MIB=1024 is the long form of this test. */
const TRANSFER_MIB = Number(Deno.env.get("WASIMOFF_TEST_TRANSFER_MIB") ?? 192);
const MIB = 1024 * 1024;
/** No multiple of anything, so that no lost or repeated frame gives the same hash. */
const PERIOD = 1_048_573;
const CUTS = 4;

const pattern = new Uint8Array(PERIOD + MIB).map((_, i) => (i % PERIOD) * 31 + ((i % PERIOD) >> 8));

function* pieces(): Generator<Uint8Array> {
  for (let sent = 0; sent < TRANSFER_MIB * MIB; sent += MIB) {
    yield pattern.subarray(sent % PERIOD, sent % PERIOD + MIB);
  }
}

function expected(): string {
  const hash = createHash("sha256");
  for (const piece of pieces()) hash.update(piece);
  return hash.digest("hex");
}

Deno.test(`a transfer of ${TRANSFER_MIB} MiB each way arrives whole over cut connections`, async () => {
  const received: { hash: Hash; bytes: number } = { hash: createHash("sha256"), bytes: 0 };
  const served = Promise.withResolvers<void>();
  await using service = await TcpService.start(async (socket) => {
    socket.on("data", (chunk: Uint8Array) => {
      received.hash.update(chunk);
      received.bytes += chunk.length;
    });
    socket.on("end", served.resolve);
    for (const piece of pieces()) if (!socket.write(piece)) await once(socket, "drain");
    socket.end();
  });
  await using cluster = await TunnelCluster.start();
  await using proxy = await cluster.cluster.proxy();
  const tunnel = await cluster.tunnel({ service: service.port, port: proxy.port });
  using client = await TcpClient.connect(tunnel.opened.port);
  const hash = createHash("sha256");
  let bytes = 0;
  client.socket.on("data", (chunk: Uint8Array) => {
    hash.update(chunk);
    bytes += chunk.length;
  });
  const send = async () => {
    for (const piece of pieces()) if (!client.socket.write(piece)) await once(client.socket, "drain");
    client.socket.end();
  };
  const sending = send();
  for (let cut = 1; cut <= CUTS; cut++) {
    await until(() => Math.min(bytes, received.bytes) >= cut * TRANSFER_MIB * MIB / (CUTS + 1));
    proxy.cut();
  }
  await within(Promise.all([sending, client.ended, served.promise]), "the end of the transfer", 300_000);
  deepEqual([bytes, received.bytes], [TRANSFER_MIB * MIB, TRANSFER_MIB * MIB]);
  equal(hash.digest("hex"), expected());
  equal(received.hash.digest("hex"), expected());
  equal(proxy.accepted, 1 + CUTS);
  deepEqual(tunnel.losses, []);
});

Deno.test("an interactive connection goes on over cut connections of tunnel and visitor", async () => {
  await using service = await TcpService.echo();
  await using cluster = await TunnelCluster.start();
  await using toClient = await cluster.cluster.proxy();
  await using toVisitor = await cluster.cluster.proxy();
  const tunnel = await cluster.tunnel({ service: service.port, name: "box", port: toClient.port });
  const visitor = await cluster.visitor({ port: toVisitor.port });
  const { duplex, reached } = await visitor.connect("box", AbortSignal.timeout(10_000));
  await reached;
  for (const [round, proxy] of [toClient, toVisitor, toClient, toVisitor].entries()) {
    const line = `line ${round}\n`;
    const echoed = readText(line.length);
    duplex.writable.write(new TextEncoder().encode(line));
    proxy.cut(); // the line or its echo may be lost on the way
    equal(await within(echoed, "the echo of a line"), line);
  }
  duplex.writable.end();
  equal(await duplex.readable.read(), null);
  deepEqual(tunnel.losses, []);
  ok(toClient.accepted >= 2 && toVisitor.accepted >= 2);

  async function readText(length: number): Promise<string> {
    let text = "";
    while (text.length < length) text += new TextDecoder().decode((await duplex.readable.read())!);
    return text;
  }
});

Deno.test("a tunnel opens again, on the same port, at a broker that was started anew", async () => {
  await using service = await TcpService.echo();
  const tcpPorts = await freePorts();
  await using first = await TunnelCluster.start({ tcpPorts });
  const tunnel = await first.tunnel({ service: service.port, name: "db" });
  const listen = first.host.address;
  await first.host.close();
  await using second = await TunnelCluster.start({ listen, tcpPorts });
  await until(() => second.host.tunnels.openPorts === 1);
  using client = (await TcpClient.connect(tunnel.opened.port)).read();
  client.socket.end("again");
  equal(await within(client.ended, "the echoed end"), "end");
  equal(client.text, "again");
  ok(tunnel.losses.length >= 1);
  equal(tunnel.losses[0]!.code, "unavailable");
});

async function until(condition: () => boolean): Promise<void> {
  for (const end = Date.now() + 120_000; !condition();) {
    if (Date.now() > end) throw new Error("nothing moves any more");
    await delay(1);
  }
}
