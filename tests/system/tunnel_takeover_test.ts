import { equal, ok, rejects } from "node:assert/strict";
import { waitUntil } from "../support/open_server.ts";
import { TcpClient, TcpService } from "../support/tcp_service.ts";
import { testIdentity, TunnelCluster } from "../support/tunnel_cluster.ts";
import { within } from "../support/within.ts";

/** A service that says who it is, then echoes. */
function named(name: string): Promise<TcpService> {
  return TcpService.start((socket) => {
    socket.write(name);
    socket.pipe(socket);
  });
}

Deno.test("the newest session of a key has its named tunnel and port at once, the one before ends", async () => {
  await using old = await named("old");
  await using fresh = await named("new");
  await using cluster = await TunnelCluster.start();
  const identity = await testIdentity();
  const before = await cluster.tunnel({ service: old.port, name: "db", identity });
  using open = (await TcpClient.connect(before.opened.port)).read();
  await waitUntil(() => open.text === "old");
  const ended = rejects(before.done, { code: "aborted", message: /goes on from another session/ });
  const after = await cluster.tunnel({ service: fresh.port, name: "db", identity });
  await within(ended, "the end of the client before");
  equal(after.opened.port, before.opened.port);
  using client = (await TcpClient.connect(after.opened.port)).read();
  await waitUntil(() => client.text !== "");
  equal(client.text, "new");
});

Deno.test("a name belongs to the key that took it first, also while its client is away", async () => {
  await using service = await TcpService.echo();
  await using cluster = await TunnelCluster.start();
  const mine = await cluster.tunnel({ service: service.port, name: "db" });
  await rejects(cluster.tunnel({ service: service.port, name: "db" }), { code: "permission_denied" });
  await mine.stop();
  await rejects(cluster.tunnel({ service: service.port, name: "db" }), { code: "permission_denied" });
});

Deno.test("a second tunnel without a name is refused while another process of the key is connected", async () => {
  await using service = await TcpService.echo();
  await using cluster = await TunnelCluster.start();
  const identity = await testIdentity();
  const first = await cluster.tunnel({ service: service.port, identity });
  equal(first.opened.name, identity.id);
  await rejects(cluster.tunnel({ service: service.port, identity }), {
    code: "already_exists",
    message: /--name/,
  });
  const second = await cluster.tunnel({ service: service.port, identity, name: "second" });
  ok(second.opened.port !== first.opened.port);
  await first.stop();
  await waitUntil(() => cluster.host.tunnels.registry.find(identity.id) === "gone");
  const again = await cluster.tunnel({ service: service.port, identity });
  equal(again.opened.port, first.opened.port);
});

Deno.test("names are remembered in the directory of the broker", async () => {
  const storage = await Deno.makeTempDir();
  try {
    await using service = await TcpService.echo();
    const identity = await testIdentity();
    {
      await using cluster = await TunnelCluster.start({ storage });
      await cluster.tunnel({ service: service.port, name: "db", identity });
    }
    await using cluster = await TunnelCluster.start({ storage });
    equal(cluster.host.tunnels.registry.find("db"), "gone");
    await rejects(cluster.tunnel({ service: service.port, name: "db" }), { code: "permission_denied" });
    await cluster.tunnel({ service: service.port, name: "db", identity });
  } finally {
    await Deno.remove(storage, { recursive: true });
  }
});
