/** Peers of tunnels that do not read, or that are many. */

import { equal, ok } from "node:assert/strict";
import type { Socket } from "node:net";
import { delay } from "../../core/delay.ts";
import { waitUntil } from "../support/open_server.ts";
import { TcpClient, TcpService } from "../support/tcp_service.ts";
import { TunnelCluster } from "../support/tunnel_cluster.ts";
import { within } from "../support/within.ts";

const MIB = 1024 * 1024;
/** Two pairs of sockets take some MiB in the kernel, we about 2 MiB in all. */
const MOST_UNDER_WAY = 24 * MIB;
const CHUNK = new Uint8Array(MIB);

/** Writes without asking for room, until the socket stands still; gives what it has taken off our hands. */
async function fill(socket: Socket): Promise<number> {
  for (let taken = -1;;) {
    while (socket.writableLength < 4 * MIB) socket.write(CHUNK);
    await delay(100);
    const now = socket.bytesWritten - socket.writableLength;
    if (now === taken) return now;
    taken = now;
    if (taken > 10 * MOST_UNDER_WAY) return taken;
  }
}

for (const idle of ["service", "visitor"] as const) {
  Deno.test(`a ${idle} that does not read stops the writer, not its neighbours`, async () => {
    const accepted: Socket[] = [];
    await using service = await TcpService.start((socket) => {
      accepted.push(socket);
      if (accepted.length > 1) socket.pipe(socket);
    });
    await using cluster = await TunnelCluster.start();
    const { opened } = await cluster.tunnel({ service: service.port });
    using visitor = await TcpClient.connect(opened.port);
    await waitUntil(() => accepted.length === 1);
    const taken = await fill(idle === "service" ? visitor.socket : accepted[0]!);
    ok(taken < MOST_UNDER_WAY, `${taken} bytes were taken`);
    using neighbour = (await TcpClient.connect(opened.port)).read();
    neighbour.socket.write("alive");
    await waitUntil(() => neighbour.text === "alive");
    equal(neighbour.text, "alive");
    const found = cluster.host.tunnels.registry.find(opened.name);
    if (found === null || found === "gone") throw new Error("the tunnel is not there");
    visitor.socket.resetAndDestroy();
    accepted[0]!.resume(); // a reset is seen behind the bytes that came before it, as everywhere in TCP
    await waitUntil(() => found.counters.activeStreams === 1);
    equal(found.counters.activeStreams, 1);
  });
}

Deno.test("1,000 idle tunnels are open at once, and all end with their clients", async () => {
  await using service = await TcpService.echo();
  await using cluster = await TunnelCluster.start({ tcpPorts: null });
  const { registry } = cluster.host.tunnels;
  const tunnels = await within(
    Promise.all(
      Array.from({ length: 1_000 }, (_, i) => cluster.tunnel({ service: service.port, name: `t${i}` })),
    ),
    "1,000 tunnels",
    60_000,
  );
  equal(registry.size, 1_000);
  const visitor = await cluster.visitor();
  const { duplex } = await visitor.connect("t999", AbortSignal.timeout(5_000));
  await duplex.writable.write(CHUNK.subarray(0, 3));
  equal((await duplex.readable.read())!.length, 3);
  await Promise.all(tunnels.map((tunnel) => tunnel.stop()));
  await waitUntil(() => registry.size === 0);
  equal(registry.size, 0);
});
