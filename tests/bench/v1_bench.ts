/**
 * A no-op task by every door for existing clients, beside our own protocol; and what Connect costs alone, by a call
 * that runs no task, beside a bare route of the same server with the same body. Servers, provider and slot are
 * processes of their own; ends with status 1 when a target is missed.
 */

// deno-lint-ignore-file no-console -- prints what it measures
import { create, toBinary, toJsonString } from "@bufbuild/protobuf";
import { parseBrokerUrl } from "../../commands/broker_address.ts";
import { BrokerDialer } from "../../core/host/dial_broker.ts";
import { silent } from "../../core/log.ts";
import { SUBPROTOCOL_V1_BINARY } from "../../core/protocol/envelope_v1.ts";
import {
  Filesystem_Upload_RequestSchema,
  Task_Wasip1_RequestSchema,
} from "../../core/protocol/gen/wasimoff/v1/messages_pb.ts";
import { MessengerV1 } from "../../core/protocol/messenger_v1.ts";
import { RealCluster, runQuietly } from "../support/real_cluster.ts";
import { BARE_PATH, RpcServer } from "../support/rpc_server.ts";

const WIDTHS = [1, 64];
/** Of each figure; the best of the rounds counts, as other programs disturb. */
const TASKS = { 1: 400, 64: 4_000 } as const;
const ROUNDS = 3;
const WARM_UP_TASKS = 3_000;
/** Time for one task, over that of the other way at the same width. */
const MAX_WEBSOCKET_RATIO = 1.3;
const MAX_CONNECT_RATIO = 2;

/** Milliseconds for each of `count` calls, `width` of them in flight. */
async function perCall(count: number, width: number, run: () => Promise<unknown>): Promise<number> {
  let left = count;
  const startedMs = performance.now();
  await Promise.all(Array.from({ length: width }, async () => {
    while (left-- > 0) await run();
  }));
  return (performance.now() - startedMs) / count;
}

const cluster = await RealCluster.start();
await cluster.provider("-j", "2");
const client = await cluster.client();
const module = await cluster.example("noop");
const request = create(Task_Wasip1_RequestSchema, { params: { binary: { ref: module }, args: ["noop"] } });

async function ask(url: string, init: RequestInit): Promise<void> {
  const answer = await fetch(url, init);
  await answer.arrayBuffer();
  if (!answer.ok) throw new Error(`${url}: HTTP ${answer.status}`);
}
const SERVICE = "/api/client/wasimoff.v1.Tasks/";
const post = (type: string, body: string | Uint8Array<ArrayBuffer>) => (
  { method: "POST", headers: { "content-type": type }, body }
);
const PROTO = "application/proto";
const JSON_TYPE = "application/json";
const binary = post(PROTO, toBinary(Task_Wasip1_RequestSchema, request));
const json = post(JSON_TYPE, toJsonString(Task_Wasip1_RequestSchema, request));

const dialer = new BrokerDialer({
  broker: parseBrokerUrl(cluster.url),
  endpoint: "client",
  token: null,
  agent: "bench",
  protocols: [SUBPROTOCOL_V1_BINARY],
  logger: silent,
});
const connection = await dialer.connect(AbortSignal.timeout(10_000));
if (connection.generation !== 1) throw new Error("broker speaks another generation");
const messenger = new MessengerV1(connection.pipe, "binary", {
  request: () => Promise.reject(new Error("brokers ask nothing")),
  event: () => {},
});

const WAYS = {
  "v2": () => runQuietly(client, { module, args: ["noop"] }),
  "v1 WebSocket": () => messenger.request(request),
  "Connect binary": () => ask(`${cluster.url}${SERVICE}RunWasip1`, binary),
  "Connect JSON": () => ask(`${cluster.url}${SERVICE}RunWasip1`, json),
  "HTTP run": () => ask(`${cluster.url}/api/client/run/${module}`, { method: "POST" }),
} as const;

/** Small enough that its hash costs nothing beside the call. */
const upload = create(Filesystem_Upload_RequestSchema, {
  upload: { blob: Uint8Array.of(0, 0x61, 0x73, 0x6d), media: "application/wasm" },
});
const uploadBytes = toBinary(Filesystem_Upload_RequestSchema, upload);
const uploadJson = toJsonString(Filesystem_Upload_RequestSchema, upload);
await using server = await RpcServer.start();
const DOORS = {
  "bare route": () => ask(`${server.url}${BARE_PATH}`, post(PROTO, uploadBytes)),
  "Connect binary, no task": () => ask(`${server.url}${SERVICE}Upload`, post(PROTO, uploadBytes)),
  "Connect JSON, no task": () => ask(`${server.url}${SERVICE}Upload`, post(JSON_TYPE, uploadJson)),
} as const;

let missed = 0;
const best = new Map<string, number>();

function report(way: string, beside: string, max = Infinity): void {
  const ms = best.get(way)!;
  const ratio = ms / best.get(beside)!;
  if (ratio > max) missed++;
  const target = max === Infinity ? "" : ratio > max ? `, MISSED ${max}` : `, at most ${max}`;
  const perSecond = `${Math.round(1000 / ms)}/s`;
  console.log(`  ${way}: ${ms.toFixed(3)} ms, ${perSecond}, ${ratio.toFixed(2)} times ${beside}${target}`);
}

async function measure(ways: Readonly<Record<string, () => Promise<unknown>>>, width: number): Promise<void> {
  for (const [way, run] of Object.entries(ways)) {
    const ms = await perCall(TASKS[width as keyof typeof TASKS], width, run);
    best.set(way, Math.min(ms, best.get(way) ?? Infinity));
  }
}

// Engines need some thousand calls until they are as fast as they get.
for (const run of [...Object.values(WAYS), ...Object.values(DOORS)]) await perCall(WARM_UP_TASKS, 16, run);
for (const width of WIDTHS) {
  console.log(`${width} in flight:`);
  best.clear();
  for (let round = 0; round < ROUNDS; round++) {
    await measure(WAYS, width);
    await measure(DOORS, width);
  }
  report("v2", "v2");
  report("v1 WebSocket", "v2", MAX_WEBSOCKET_RATIO);
  for (const way of ["Connect binary", "Connect JSON", "HTTP run"]) report(way, "v2");
  report("bare route", "bare route");
  report("Connect binary, no task", "bare route", MAX_CONNECT_RATIO);
  report("Connect JSON, no task", "bare route", MAX_CONNECT_RATIO);
}
messenger.close("bench is over");
client.close();
await cluster[Symbol.asyncDispose]();
if (missed > 0) Deno.exitCode = 1;
