/**
 * A no-op task where client and provider reach the broker over WebTransport, beside the same over WebSockets. Client,
 * broker, provider and slot are four processes; ends with status 1 when the target is missed.
 */

// deno-lint-ignore-file no-console -- prints what it measures
import type { Client } from "../../core/client/client.ts";
import { connectClient } from "../../core/host/connect_client.ts";
import { anyAccess } from "../../core/host/dial_broker.ts";
import { silent } from "../../core/log.ts";
import { RealCluster, runQuietly } from "../support/real_cluster.ts";

const TRANSPORTS = ["websocket", "webtransport"] as const;
/** Of each round; the rounds alternate, and the best of each transport counts, as other programs disturb. */
const TASKS = 500;
const ROUNDS = 4;
const WARM_UP_TASKS = 1_000;
/** Issue 5. */
const MAX_RATIO = 2.5;

type Transport = (typeof TRANSPORTS)[number];

async function openCluster(
  transport: Transport,
): Promise<{ cluster: RealCluster; client: Client; module: string }> {
  const cluster = await RealCluster.start("--quic", "localhost:0");
  await cluster.provider("--transport", transport);
  const http = new URL(`${cluster.url}/`);
  const client = await connectClient({
    broker: { http, webSocket: new URL(http.href.replace("http", "ws")) },
    token: null,
    agent: "bench",
    access: { ...anyAccess(), transport },
    logger: silent,
    signal: AbortSignal.timeout(10_000),
  });
  return { cluster, client: client as Client, module: await cluster.example("noop") };
}

const parts = await Promise.all(TRANSPORTS.map(openCluster));
const best = new Map<Transport, { p50: number; p99: number }>();
for (const { client, module } of parts) await times(WARM_UP_TASKS, client, module);
for (let round = 0; round < ROUNDS; round++) {
  for (const [i, { client, module }] of parts.entries()) {
    const sorted = await times(TASKS, client, module);
    const figures = { p50: sorted[TASKS / 2]!, p99: sorted[Math.floor(TASKS * 0.99)]! };
    const before = best.get(TRANSPORTS[i]!);
    if (before === undefined || figures.p50 < before.p50) best.set(TRANSPORTS[i]!, figures);
  }
}
for (const { client, cluster } of parts) {
  await client.close();
  await cluster[Symbol.asyncDispose]();
}

/** Milliseconds of each task, in order of size. */
async function times(count: number, client: Client, module: string): Promise<number[]> {
  const all: number[] = [];
  for (let i = 0; i < count; i++) {
    const startedMs = performance.now();
    await runQuietly(client, { module, args: ["noop"] });
    all.push(performance.now() - startedMs);
  }
  return all.sort((a, b) => a - b);
}

const [webSocket, webTransport] = TRANSPORTS.map((transport) => best.get(transport)!);
for (const transport of TRANSPORTS) {
  const { p50, p99 } = best.get(transport)!;
  console.log(`no-op task over ${transport}: p50 ${p50.toFixed(3)} ms, p99 ${p99.toFixed(3)} ms`);
}
const ratio = webTransport!.p50 / webSocket!.p50;
const ok = ratio <= MAX_RATIO;
console.log(`${ok ? "ok    " : "MISSED"} ratio of the medians: ${ratio.toFixed(2)} (at most ${MAX_RATIO})`);
Deno.exit(ok ? 0 : 1);
