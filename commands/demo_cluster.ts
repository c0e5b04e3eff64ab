/** A broker, a provider and a client in one process, with the provider's slots as processes. */

import { Client } from "../core/client/client.ts";
import { BrokerHost } from "../core/host/broker_host.ts";
import { PROTOCOLS } from "../core/host/broker_routes.ts";
import { runProviderHost } from "../core/host/provider_host.ts";
import { dialV2 } from "../core/host/dial_v2.ts";
import { type Logger, silent } from "../core/log.ts";
import { parseBrokerUrl } from "./broker_address.ts";
import { slotCommands } from "./slot_commands.ts";
import { VERSION } from "./version.ts";

export interface DemoCluster extends AsyncDisposable {
  readonly url: string;
  readonly client: Client;
}

interface DemoClusterOptions {
  readonly slots: number;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

const AGENT = `wasimoff/${VERSION}`;
/** Far above what the demo's programs need. */
const TASK_MEMORY_BYTES = 64 * 1024 * 1024;
const TASK_TIMEOUT_MS = 60_000;
const TASK_DISK_BYTES = 64 * 1024 * 1024;

/** Starts everything on a free port; disposing leaves no process and no port behind. */
export async function startDemoCluster({ slots, log, signal }: DemoClusterOptions): Promise<DemoCluster> {
  await using starting = new AsyncDisposableStack();
  const broker = starting.use(await startBroker());
  const url = `http://localhost:${broker.address.port}`;
  starting.use(await startProvider(url, { slots, log, signal }));
  const client = await connect(url, signal);
  starting.defer(() => client.close());
  const running = starting.move();
  return { url, client, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

function startBroker(): Promise<BrokerHost> {
  return BrokerHost.start({
    listen: { hostname: "localhost", port: 0 },
    grpc: null,
    storage: null,
    maxQueue: 1_000,
    tokens: null,
    open: false,
    allowedOrigins: [],
    trustedProxies: [],
    version: {
      version: VERSION,
      revision: "demo",
      runtime: `deno ${Deno.version.deno}`,
      protocols: PROTOCOLS,
    },
    logger: silent,
  });
}

async function startProvider(
  url: string,
  { slots, log, signal }: DemoClusterOptions,
): Promise<AsyncDisposable> {
  const ready = Promise.withResolvers<string>();
  const leave = new AbortController();
  const done = runProviderHost({
    broker: parseBrokerUrl(url),
    token: null,
    storage: null,
    agent: AGENT,
    commands: slotCommands(),
    name: "demo",
    labels: {},
    slots,
    taskMemoryBytes: TASK_MEMORY_BYTES,
    taskTimeoutMs: TASK_TIMEOUT_MS,
    taskDiskBytes: TASK_DISK_BYTES,
    once: false,
    drainMs: 0,
    onReady: ready.resolve,
    logger: log,
    signal: AbortSignal.any([signal, leave.signal]),
  });
  // It ends before it is ready only when it fails or when we are interrupted.
  await Promise.race([ready.promise, done.then(() => signal.throwIfAborted())]);
  return {
    [Symbol.asyncDispose]: async () => {
      leave.abort();
      await done;
    },
  };
}

function connect(url: string, signal: AbortSignal): Promise<Client> {
  const endpoint = new URL("api/client/ws", parseBrokerUrl(url).webSocket).href;
  return Client.connect({
    dial: dialV2(endpoint),
    agent: AGENT,
    signal,
  });
}
