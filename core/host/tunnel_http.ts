/** The broker's reverse proxy: requests for the hosts of tunnels go to the services behind them. */

import { type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http";
import type { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { addressGroup } from "../broker/identity/address_group.ts";
import { endToEndHeaders, valuesOf } from "../tunnel/end_to_end_headers.ts";
import { errorPage, type TunnelFailure } from "../tunnel/error_page.ts";
import { claimsOrigin, forwardedHeaders } from "../tunnel/forwarded_headers.ts";
import type { PublicTunnel, TunnelDirectory } from "../tunnel/public_tunnel.ts";
import type { TunnelDomain } from "../tunnel/tunnel_host_name.ts";
import { ForwardedRequest, type ForwardOptions } from "./forwarded_request.ts";
import type { HttpInterceptor } from "./http_server.ts";
import { BUSY } from "./service_failure.ts";
import { splice } from "./splice.ts";
import { switchedHead } from "./switched_head.ts";
import { isAuthorized, originForm, requestFailure, targetAuthority } from "./tunnel_http_access.ts";
import { TunnelHttpPeers } from "./tunnel_http_peers.ts";
import { upgradeAnswer } from "./upgrade_answer.ts";

export interface TunnelHttpOptions {
  readonly directory: TunnelDirectory;
  readonly domain: TunnelDomain;
  readonly scheme: "http" | "https";
  /** Whether a TCP peer is a proxy that may say for whom it asks. */
  readonly isProxy: (remoteAddress: string) => boolean;
  /** The address behind trusted proxies. */
  readonly clientAddress: (remoteAddress: string, forwardedFor: string | null) => string;
  readonly silenceMs?: number;
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
    if (outgoing.socket !== null) return this.#forward(incoming, outgoing);
    // Sent ahead of the answer to another one: it waits for its turn, but not many do.
    const { socket } = incoming;
    if (!this.#peers.waits(socket)) return void socket.destroy();
    outgoing.once("socket", () => {
      this.#peers.begins(socket);
      this.#forward(incoming, outgoing);
    });
  }

  upgrade(incoming: IncomingMessage, socket: Duplex, head: Buffer): void {
    const outgoing = upgradeAnswer(incoming, socket);
    const { headers } = incoming;
    if (headers["content-length"] !== undefined || headers["transfer-encoding"] !== undefined) {
      return fail(incoming, outgoing, UPGRADE_WITH_BODY);
    }
    this.#forward(incoming, outgoing, (answer, service, serviceHead) => {
      outgoing.detachSocket(socket as Socket);
      if (socket.destroyed) return void service.destroy();
      socket.write(switchedHead(answer), "latin1");
      if (serviceHead.length > 0) socket.write(serviceHead);
      if (head.length > 0) service.write(head);
      splice(socket, service);
    });
  }

  #forward(incoming: IncomingMessage, outgoing: ServerResponse, switched?: ForwardOptions["switched"]): void {
    if (incoming.socket.destroyed) return;
    const admission = this.#admit(incoming);
    if (!("tunnel" in admission)) return fail(incoming, outgoing, admission);
    const { tunnel, address, host } = admission;
    const leave = this.#peers.enter(tunnel, addressGroup(address));
    if (leave === null) return fail(incoming, outgoing, BUSY);
    outgoing.once("close", leave);
    tunnel.counters.requests++;
    const visitor = switched === undefined ? null : { address, port: incoming.socket.remotePort ?? 0 };
    new ForwardedRequest(incoming, outgoing, {
      agent: this.#peers.agentOf(tunnel, visitor),
      path: originForm(incoming.url!, incoming.method!),
      headers: this.#headers(incoming, tunnel, host),
      fail: (failure) => fail(incoming, outgoing, failure),
      ...(this.#options.silenceMs === undefined ? {} : { silenceMs: this.#options.silenceMs }),
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

function fail(incoming: IncomingMessage, outgoing: ServerResponse, failure: TunnelFailure): void {
  // What follows a request that is no good is no better.
  if (failure.status === 400 || failure.status === 431) outgoing.shouldKeepAlive = false;
  const { contentType, text } = errorPage(failure, valuesOf(incoming.rawHeaders, "accept").join());
  // Said anew: an answer of the service that was refused may have left its own there.
  outgoing.writeHead(failure.status, STATUS_CODES[failure.status]!, {
    "content-type": contentType,
    "content-length": new TextEncoder().encode(text).length,
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
    "x-content-type-options": "nosniff",
    ...(failure.status === 401 ? { "www-authenticate": 'Basic realm="tunnel", charset="UTF-8"' } : {}),
    ...(failure.status === 503 ? { "retry-after": "1" } : {}),
  });
  outgoing.end(text);
}
