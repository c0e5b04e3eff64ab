/** The broker's reverse proxy: requests for the hosts of tunnels go to the services behind them. */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { addressGroup } from "../broker/identity/address_group.ts";
import { endToEndHeaders, valuesOf } from "../tunnel/end_to_end_headers.ts";
import type { TunnelFailure } from "../tunnel/error_page.ts";
import { claimsOrigin, forwardedHeaders } from "../tunnel/forwarded_headers.ts";
import type { PublicTunnel, TunnelDirectory } from "../tunnel/public_tunnel.ts";
import type { TunnelDomain } from "../tunnel/tunnel_host_name.ts";
import { ForwardedRequest, type ForwardOptions } from "./forwarded_request.ts";
import type { HttpInterceptor } from "./http_server.ts";
import { BUSY } from "./service_failure.ts";
import { switchOver } from "./splice.ts";
import { isAuthorized, originForm, requestFailure, targetAuthority } from "./tunnel_http_access.ts";
import { TunnelHttpPeers } from "./tunnel_http_peers.ts";
import { Turns } from "./turns.ts";
import { upgradeAnswer } from "./upgrade_answer.ts";
import { writeFailure } from "./write_failure.ts";

export interface TunnelHttpOptions {
  readonly directory: TunnelDirectory;
  readonly domain: TunnelDomain;
  readonly scheme: "http" | "https";
  /** Whether a TCP peer is a proxy that may say for whom it asks. */
  readonly isProxy: (remoteAddress: string) => boolean;
  /** The address behind trusted proxies. */
  readonly clientAddress: (remoteAddress: string, forwardedFor: string | null) => string;
  readonly silenceMs?: number;
  readonly stalledMs?: number;
}

const UNKNOWN: TunnelFailure = {
  status: 404,
  title: "No such tunnel",
  detail: "Nobody has opened a tunnel of this name here.",
};
const GONE: TunnelFailure = {
  status: 502,
  title: "Tunnel is offline",
  detail: "This tunnel exists, but the program that opened it is not connected now.",
};
const FORBIDDEN: TunnelFailure = {
  status: 403,
  title: "Not allowed",
  detail: "This tunnel does not let your address in.",
};
const UNAUTHORIZED: TunnelFailure = {
  status: 401,
  title: "Password needed",
  detail: "This tunnel asks for a user name and a password.",
};
const UPGRADE_WITH_BODY: TunnelFailure = {
  status: 400,
  title: "Bad request",
  detail: "A request to switch protocols must not have a body.",
};

/** A request that may go on, and where. */
interface Admission {
  readonly tunnel: PublicTunnel;
  /** Behind trusted proxies. */
  readonly address: string;
  readonly host: string;
}

export class TunnelHttp implements HttpInterceptor {
  readonly #options: TunnelHttpOptions;
  readonly #peers = new TunnelHttpPeers();
  readonly #groups = new WeakMap<Socket, { readonly address: string; readonly group: string | null }>();
  readonly #turns = new Turns();

  constructor(options: TunnelHttpOptions) {
    this.#options = options;
  }

  /** Whether any host that a request names lies under the domain of tunnels. */
  takes({ rawHeaders, url = "" }: IncomingMessage): boolean {
    const { domain } = this.#options;
    const authority = url.startsWith("/") ? null : targetAuthority(url);
    if (authority !== null && domain.nameOf(authority) !== null) return true;
    return valuesOf(rawHeaders, "host").some((host) => domain.nameOf(host) !== null);
  }

  request(incoming: IncomingMessage, outgoing: ServerResponse): void {
    this.#turns.take(incoming, outgoing, () => this.#forward(incoming, outgoing));
  }

  upgrade(incoming: IncomingMessage, socket: Duplex, head: Buffer): void {
    const outgoing = upgradeAnswer(incoming, socket);
    const { headers } = incoming;
    if (headers["content-length"] !== undefined || headers["transfer-encoding"] !== undefined) {
      return writeFailure(incoming, outgoing, UPGRADE_WITH_BODY);
    }
    this.#forward(incoming, outgoing, (...switched) => switchOver({ socket, outgoing, head }, ...switched));
  }

  #forward(incoming: IncomingMessage, outgoing: ServerResponse, switched?: ForwardOptions["switched"]): void {
    if (incoming.socket.destroyed) return;
    const admission = this.#admit(incoming);
    if (!("tunnel" in admission)) return refuse(incoming, outgoing, admission);
    const { tunnel, address, host } = admission;
    const { silenceMs, stalledMs } = this.#options;
    const leave = this.#peers.enter(tunnel, this.#groupOf(incoming.socket, address));
    if (leave === null) return refuse(incoming, outgoing, BUSY);
    outgoing.once("close", leave);
    tunnel.counters.requests++;
    const visitor = switched === undefined ? null : { address, port: incoming.socket.remotePort ?? 0 };
    new ForwardedRequest(incoming, outgoing, {
      agent: this.#peers.agentOf(tunnel, visitor),
      path: originForm(incoming.url!, incoming.method!),
      headers: this.#headers(incoming, tunnel, host),
      fail: (failure) => writeFailure(incoming, outgoing, failure),
      ...(silenceMs === undefined ? {} : { silenceMs }),
      ...(stalledMs === undefined ? {} : { stalledMs }),
      ...(switched === undefined ? {} : {
        switched: (...connection) => {
          leave();
          switched(...connection);
        },
      }),
    });
  }

  /** The tunnel that a request may go to, or the page for its sender. */
  #admit(incoming: IncomingMessage): Admission | TunnelFailure {
    const failure = requestFailure(incoming);
    if (failure !== null) return failure;
    const { directory, domain, clientAddress } = this.#options;
    const host = valuesOf(incoming.rawHeaders, "host")[0]!;
    const name = domain.nameOf(host);
    const tunnel = name ? directory.find(name) : null;
    if (tunnel === "gone") return GONE;
    if (tunnel === null || tunnel.kind !== "http") return UNKNOWN;
    const forwardedFor = valuesOf(incoming.rawHeaders, "x-forwarded-for").join() || null;
    const address = clientAddress(incoming.socket.remoteAddress ?? "", forwardedFor);
    if (!tunnel.allows(address)) return FORBIDDEN;
    if (tunnel.basicAuth.size > 0 && !isAuthorized(incoming, tunnel.basicAuth)) return UNAUTHORIZED;
    return { tunnel, address, host };
  }

  /** Which addresses count as one peer, worked out once for each connection unless a proxy speaks for others. */
  #groupOf(socket: Socket, address: string): string | null {
    const known = this.#groups.get(socket);
    if (known?.address === address) return known.group;
    const group = addressGroup(address);
    this.#groups.set(socket, { address, group });
    return group;
  }

  #headers({ rawHeaders, socket }: IncomingMessage, tunnel: PublicTunnel, host: string): string[] {
    const { scheme, isProxy } = this.#options;
    const peer = socket.remoteAddress ?? "";
    const trusted = isProxy(peer);
    const ours = tunnel.basicAuth.size > 0;
    const kept = endToEndHeaders(
      rawHeaders,
      (name) => name === "host" || (ours && name === "authorization") || claimsOrigin(name, trusted),
    );
    return [
      ...["Host", tunnel.hostHeader ?? host],
      ...kept,
      ...forwardedHeaders(rawHeaders, { peer, trusted, scheme, host }),
    ];
  }
}

/** Writes the page of who is not passed on; whoever waits for 100 may send the body all the same, or not. */
function refuse(incoming: IncomingMessage, outgoing: ServerResponse, failure: TunnelFailure): void {
  if (incoming.headers.expect !== undefined) outgoing.shouldKeepAlive = false;
  writeFailure(incoming, outgoing, failure);
}
