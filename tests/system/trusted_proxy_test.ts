import { rejects, strictEqual } from "node:assert/strict";
import { HostCluster } from "../support/host_cluster.ts";

Deno.test("a broker asks a trusted proxy for a token, also one on this machine that forwards without a header", async () => {
  await using cluster = await HostCluster.start({ trustedProxies: ["127.0.0.0/8"] });
  const response = await fetch(`http://127.0.0.1:${cluster.port}/api/providers`);
  strictEqual(response.status, 401);
  await response.body?.cancel();
  await rejects(cluster.client(), { code: "unauthenticated" });
});
