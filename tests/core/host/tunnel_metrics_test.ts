import { deepStrictEqual } from "node:assert/strict";
import { Registry } from "prom-client";
import { MAX_TUNNEL_SERIES, TunnelMetrics } from "../../../core/host/tunnel_metrics.ts";

const counters = (requests: number) => ({ streams: 0, activeStreams: 0, requests, bytesIn: 0, bytesOut: 0 });

/** The series of requests: label and value. */
async function requests(registry: Registry): Promise<string[]> {
  const text = await registry.getSingleMetricAsString("wasimoff_tunnel_requests_total");
  return text.split("\n").filter((line) => !line.startsWith("#"));
}

Deno.test("TunnelMetrics shows tunnels while they are open", async () => {
  const registry = new Registry();
  const metrics = new TunnelMetrics(registry);
  metrics.update([{ name: "a", counters: counters(1) }, { name: "b", counters: counters(2) }]);
  metrics.update([{ name: "b", counters: counters(3) }]);
  deepStrictEqual(await requests(registry), ['wasimoff_tunnel_requests_total{tunnel="b"} 3']);
});

Deno.test("TunnelMetrics adds up those beyond its bound", async () => {
  const registry = new Registry();
  const tunnels = Array.from(
    { length: MAX_TUNNEL_SERIES + 5 },
    (_, i) => ({ name: `t${i}`, counters: counters(2) }),
  );
  new TunnelMetrics(registry).update(tunnels);
  const series = await requests(registry);
  deepStrictEqual(
    [series.length, series.at(-1)],
    [MAX_TUNNEL_SERIES + 1, 'wasimoff_tunnel_requests_total{tunnel="(others)"} 10'],
  );
});
