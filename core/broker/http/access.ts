/** Who may use the HTTP API, and which web pages (CORS). */

import { cors } from "@connectrpc/connect";
import type { MiddlewareHandler } from "hono";
import { WasimoffError } from "../../errors.ts";
import type { Identity } from "../identity/identifier.ts";
import type { Caller } from "../identity/loopback_rule.ts";
import { tokenInUrl } from "../identity/url_token.ts";
import type { HttpEnv } from "./http_env.ts";
import { CONFIG_PATH } from "./config_document.ts";
import { STORAGE_PATH } from "./storage_path.ts";

export interface AccessDeps {
  /** Throws `unauthenticated`. The token may come from elsewhere than the header that is ours. */
  identify(caller: Caller, token?: string): Identity;
  /** Whether a page of this Origin may use us. */
  allowsOrigin(origin: string | null, host: string | null): boolean;
}

/** Paths that tell nothing worth a token. */
const PUBLIC_PATHS: ReadonlySet<string> = new Set(["/healthz", "/api/version", CONFIG_PATH]);
const CLIENT_PREFIX = "/api/client/";
/** How long a browser may remember the answer to a preflight. */
const PREFLIGHT_MAX_AGE_S = 600;

/** What pages may send besides `X-Env-*`: ours, and what clients of Connect and gRPC-Web do. */
const REQUEST_HEADERS = [
  ...["authorization", "range", "if-none-match", "if-range", "x-args", "x-rootfs-ref", "x-artifact"],
  ...cors.allowedHeaders,
];
/** What pages may read. */
const RESPONSE_HEADERS = [
  ...["x-wasimoff-ref", "etag", "content-range", "accept-ranges", "retry-after", "x-wasimoff-result"],
  ...["x-wasimoff-status", "x-wasimoff-provider", "x-wasimoff-artifacts", "x-wasimoff-artifacts-omitted"],
  ...cors.exposedHeaders,
].join(", ");

/**
 * Every answer gets its CORS headers, errors included. Files and public paths may be read from any page that is
 * let in at all (`access-control-allow-origin: *`, wasimoff-v1 5.4); everything else from allowed Origins only.
 */
export function corsHeaders({ allowsOrigin }: AccessDeps): MiddlewareHandler<HttpEnv> {
  return async (context, next) => {
    const preflight = context.req.method === "OPTIONS";
    const method = preflight ? context.req.header("access-control-request-method") : context.req.method;
    const origin = context.req.header("origin") ?? null;
    const allowed = allowsOrigin(origin, context.req.header("host") ?? null);
    const open = isReadByAnyPage(context.req.path, method);
    if (!allowed && !open) {
      throw new WasimoffError("permission_denied", "this page may not use the broker: see --allowed-origins");
    }
    if (preflight) context.res = preflightAnswer(context.req.header("access-control-request-headers"));
    else await next();
    const { headers } = context.res;
    headers.append("vary", "Origin");
    headers.set("access-control-expose-headers", RESPONSE_HEADERS);
    if (open) headers.set("access-control-allow-origin", "*");
    else if (origin !== null) headers.set("access-control-allow-origin", origin);
  };
}

/**
 * Lets in those whom the identity rules know, and remembers who they are. Existing clients know no tokens of ours
 * and may have theirs in the URL.
 */
export function requireIdentity({ identify }: AccessDeps): MiddlewareHandler<HttpEnv> {
  return async (context, next) => {
    const { path, raw: { headers, url } } = context.req;
    if (!PUBLIC_PATHS.has(path)) {
      const caller = { remoteAddress: context.env.remoteAddress, headers };
      const existing = path.startsWith(CLIENT_PREFIX) || path.startsWith(STORAGE_PATH);
      const elsewhere = existing && (url.includes("?") || headers.has("authorization"));
      const token = elsewhere ? tokenInUrl({ url: new URL(url), headers }) : undefined;
      context.set("identity", identify(caller, token));
    }
    await next();
  };
}

function preflightAnswer(asked = ""): Response {
  const environment = asked.toLowerCase().match(/x-env-[\w-]+/g) ?? [];
  const headers = {
    "access-control-allow-methods": "GET, HEAD, POST, DELETE",
    "access-control-allow-headers": [...REQUEST_HEADERS, ...environment].join(", ").toLowerCase(),
    "access-control-max-age": String(PREFLIGHT_MAX_AGE_S),
  };
  return new Response(null, { status: 204, headers });
}

function isReadByAnyPage(path: string, method: string | undefined): boolean {
  return (method === "GET" || method === "HEAD") && (path.startsWith(STORAGE_PATH) || PUBLIC_PATHS.has(path));
}
