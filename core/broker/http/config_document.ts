/** What a client must know to come over WebTransport (wasimoff-v1 13.2): `GET /api/broker/v1/config`. */

import type { Context } from "hono";
import { hostName, isLoopbackName, LOOPBACK_HOSTS } from "../identity/loopback_rule.ts";
import type { HttpEnv } from "./http_env.ts";

export const CONFIG_PATH = "/api/broker/v1/config";

export interface TransportFace {
  /** Where QUIC is served; null when it is off. `host` is null for all addresses. */
  readonly quic: { readonly host: string | null; readonly port: number } | null;
  /** The URL to announce as the operator has written it; null for one that fits the request. */
  readonly url: string | null;
  /** Names of the certificate; empty when its hash is enough. */
  readonly names: readonly string[];
  /** SHA-256 (hex) of the ephemeral certificates, the one that is served first; empty for others. */
  readonly hashes: readonly string[];
  /** When the certificate that is served ends. */
  readonly expires?: Date;
}

/** Answers anybody: what it says is of use only to those who are let in elsewhere. */
export function configDocument(context: Context<HttpEnv>, face: TransportFace): Response {
  const transport = transportUrl(face, context.req.header("host") ?? "");
  const [certhash] = face.hashes;
  const known = transport !== "" && certhash !== undefined;
  const expires = transport === "" ? undefined : face.expires?.toISOString();
  return context.json(
    {
      transport,
      ...(known && { certhash, certhashes: face.hashes }),
      ...(expires !== undefined && { certexpires: expires }),
    },
    200,
    { "cache-control": "no-store" },
  );
}

/** The URL for a client that reached us under this Host; empty where QUIC cannot be reached. */
export function transportUrl({ quic, url, names }: TransportFace, hostHeader: string): string {
  if (quic === null) return "";
  if (url !== null) return url;
  const asked = hostName(hostHeader);
  // Who came by another name sits elsewhere, where our loopback address is its own.
  if (quic.host !== null && isLoopbackName(quic.host) && !isLoopbackName(asked)) return "";
  // The broker knows its own pages by the name that they use for it.
  const either = quic.host === "localhost" && LOOPBACK_HOSTS.includes(asked);
  const reached = either ? asked : quic.host ?? asked;
  const covered = names.length === 0 || names.some((name) => covers(name, reached));
  const host = covered ? reached : names.find((name) => !name.startsWith("*.")) ?? reached;
  if (!/^[\w.:-]+$/.test(host)) return ""; // a Host that is none
  return `https://${host.includes(":") ? `[${host}]` : host}:${quic.port}/transport`;
}

/** Whether a name of a certificate is valid for a host; a wildcard stands for one label (RFC 9525 6.3). */
function covers(name: string, host: string): boolean {
  if (name.toLowerCase() === host.toLowerCase()) return true;
  return name.startsWith("*.") && host.slice(host.indexOf(".")).toLowerCase() === name.slice(1).toLowerCase();
}
