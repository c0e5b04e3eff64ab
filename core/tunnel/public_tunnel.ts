/** What the public faces of a broker (HTTP, TCP ports, WebSockets, visitors) see of a tunnel. */

import type { ByteDuplex } from "../byte_stream.ts";

/** Who comes from outside; told to the tunnel's client. */
export interface Visitor {
  /** Address behind trusted proxies; empty where it is not known. */
  readonly address: string;
  readonly port: number;
}

/** Numbers since the tunnel was opened; the HTTP face counts requests, the tunnel itself all others. */
export interface TunnelCounters {
  streams: number;
  activeStreams: number;
  requests: number;
  bytesIn: number;
  bytesOut: number;
}

export interface PublicTunnel {
  /** Friendly name, or the id of its key. */
  readonly name: string;
  readonly kind: "http" | "tcp";
  /** SHA-256 of each allowed "user:password", hex; empty when nobody is asked (HTTP only). */
  readonly basicAuth: ReadonlySet<string>;
  /** The Host that the service is told; null for the visitor's (HTTP only). */
  readonly hostHeader: string | null;
  readonly counters: TunnelCounters;
  /** Whether `--allow-cidr` lets this address in. */
  allows(address: string): boolean;
  /**
   * A stream to the service behind the tunnel. Resolves when the service was reached; rejects with `unavailable`
   * when it was not, when the tunnel's client is gone, or with the signal's reason.
   */
  open(visitor: Visitor, signal: AbortSignal): Promise<ByteDuplex>;
}

/** Finds tunnels for the faces. */
export interface TunnelDirectory {
  /** `gone`: the name is known and its client is away; null: nobody has it. */
  find(name: string): PublicTunnel | "gone" | null;
}
