/** The broker's HTTP routes on a memory store, for requests without sockets. */

import type { Hono } from "hono";
import { Broker } from "../../core/broker/broker.ts";
import { MemoryTaskLog } from "../../core/broker/dispatcher/memory_task_log.ts";
import { createHttpApp, type HttpAppDeps } from "../../core/broker/http/http_app.ts";
import type { HttpEnv } from "../../core/broker/http/http_env.ts";
import { Identifier } from "../../core/broker/identity/identifier.ts";
import { LOOPBACK_HOSTS } from "../../core/broker/identity/loopback_rule.ts";
import { AllowedOrigins } from "../../core/broker/identity/origins.ts";
import { Tokens } from "../../core/broker/identity/tokens.ts";
import { TasksV1 } from "../../core/broker/tasks_v1.ts";
import { startHash } from "../../core/host/hash.ts";
import { rpcGzip } from "../../core/host/rpc_compression.ts";
import { silent } from "../../core/log.ts";
import { FileNames, UNSAVED } from "../../core/storage/file_names.ts";
import { MemoryStore } from "../../core/storage/memory_store.ts";

export interface BrokerAppOptions extends Partial<HttpAppDeps> {
  readonly open?: boolean;
  readonly allowedOrigins?: readonly string[];
}

/** Tokens that the broker knows. */
export const TOKEN = "token-of-somebody";
export const OTHER_TOKEN = "token-of-another";

/** The routes; callers from 127.0.0.1 with Host localhost are local. */
export async function brokerApp(
  { open = false, allowedOrigins = [], ...deps }: BrokerAppOptions = {},
): Promise<Hono<HttpEnv>> {
  const tokens = new Tokens([TOKEN, OTHER_TOKEN], startHash);
  const identifier = new Identifier({
    tokens,
    open,
    knownHosts: new Set(LOOPBACK_HOSTS),
    isProxy: () => false,
  });
  const origins = new AllowedOrigins(allowedOrigins);
  const files = deps.files ?? new MemoryStore({ maxTotalBytes: 1 << 20, startHash });
  const names = deps.names ?? await FileNames.open(UNSAVED);
  const tasks = new TasksV1({ broker: idleBroker(), files, names, startHash, now: Date.now });
  return createHttpApp({
    ...{ files, names, tasks },
    compression: [rpcGzip],
    maxUploadBytes: 1 << 19,
    version: { version: "1.2.3", revision: "abcdef0", runtime: "deno 0", protocols: ["wasimoff_v2"] },
    transport: () => ({ quic: null, url: null, names: [], hashes: [] }),
    providers: () => [{ name: "p" }],
    metrics: () => Promise.resolve({ contentType: "text/plain", text: "numbers 1\n" }),
    logger: silent,
    identify: (caller, token) => identifier.identify(caller, token),
    allowsOrigin: (origin, host) => origins.allows(origin, host),
    ...deps,
  });
}

/** A broker that nobody joins. */
function idleBroker(): Broker {
  return new Broker({ idPrefix: "t", log: new MemoryTaskLog(), now: Date.now, startHash, logger: silent });
}

export interface CallOptions extends Omit<RequestInit, "headers"> {
  readonly headers?: Record<string, string>;
  readonly remoteAddress?: string;
}

/** One request to the routes, as a local caller unless said otherwise. */
export async function call(
  app: Hono<HttpEnv>,
  path: string,
  { headers = {}, remoteAddress = "127.0.0.1", ...init }: CallOptions = {},
): Promise<Response> {
  const all = { host: "localhost:4080", ...headers };
  const request = new Request(`http://localhost:4080${path}`, { ...init, headers: all });
  return await app.fetch(request, {
    remoteAddress,
    remotePort: 4711,
    rawHeaders: Object.entries(all).flat(),
  });
}
