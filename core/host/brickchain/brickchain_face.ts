/** The HTTP face of the Brickchain tunneling proxy: its clients' endpoint and the public one (brickchain.md 1). */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
// @ts-types="npm:@types/ws@8.18.2"
import { WebSocketServer } from "ws";
import { addressGroup } from "../../broker/identity/address_group.ts";
import { MemoryBudget } from "../../broker/memory_budget.ts";
import { WasimoffError } from "../../errors.ts";
import type { Logger } from "../../log.ts";
import { MAX_BODY_BYTES, MAX_FRAME_BYTES } from "../../tunnel/brickchain/brickchain_document.ts";
import { requestHeaders } from "../../tunnel/brickchain/brickchain_headers.ts";
import { splitTarget } from "../../tunnel/brickchain/brickchain_path.ts";
import type { BrickchainServer } from "../../tunnel/brickchain/brickchain_server.ts";
import { valuesOf } from "../../tunnel/end_to_end_headers.ts";
import type { TunnelDomain } from "../../tunnel/tunnel_host_name.ts";
import type { BrickchainAudience } from "./brickchain_audience.ts";
import { forwardToBrickchain, refuseWith } from "./brickchain_request.ts";
import { BrickchainSocket } from "./brickchain_socket.ts";
import { GroupCount } from "../../group_count.ts";
import type { HttpInterceptor } from "../http_server.ts";
import { UnfinishedMessages } from "../unfinished_messages.ts";
import { upgradeAnswer } from "../upgrade_answer.ts";
import { WEBSOCKET_OPTIONS } from "../websocket_connection.ts";
import { MESSAGE_WEBSOCKET_OPTIONS, WebSocketMessages } from "../websocket_messages.ts";

export interface BrickchainFaceOptions {
  readonly server: BrickchainServer;
  readonly audience: BrickchainAudience;
  /** Whose sub-domains are tunnels; null for none. */
  readonly domain: TunnelDomain | null;
  /** Whether a name under the domain is a tunnel of our own protocol, which comes first. */
  readonly isTunnel: (name: string) => boolean;
  /** Whether a TCP peer is a proxy that may say for whom it asks. */
  readonly isProxy: (remoteAddress: string) => boolean;
  /** The address behind trusted proxies. */
  readonly clientAddress: (remoteAddress: string, forwardedFor: string | null) => string;
  /** Of this program. */
  readonly version: string;
  readonly logger: Logger;
}

/** Frames of all clients that have begun to arrive: anybody may send them. */
const MAX_UNFINISHED_CLIENT_BYTES = 128 * 1024 * 1024;
/** Bodies of visitors on their way, until they are answered. */
const MAX_BODIES_BYTES = 256 * 1024 * 1024;

/** Control connections from one remote IPv4 address or IPv6 /64: with all that they may register, less than half. */
const MAX_CONNECTIONS_PER_GROUP = 64;

const SUBSCRIBE_PATH = "/proxy/subscribe";
const PUBLIC_PATH = "/proxy/request/";

type Route =
  | { readonly kind: "subscribe" }
  | { readonly kind: "version" }
  | { readonly kind: "public"; readonly id: string; readonly target: string; readonly onOurHost: boolean };

export class BrickchainFace implements HttpInterceptor {
  readonly #options: BrickchainFaceOptions;
  readonly #clients = new WebSocketServer({
    ...MESSAGE_WEBSOCKET_OPTIONS,
    maxPayload: MAX_FRAME_BYTES,
    noServer: true,
    handleProtocols: () => false,
  });
  readonly #public = new WebSocketServer({
    ...WEBSOCKET_OPTIONS,
    maxPayload: MAX_BODY_BYTES,
    noServer: true,
    // Documents cannot say what the service chose; one alone is what it must have chosen.
    handleProtocols: (offered) => offered.size === 1 ? [...offered][0]! : false,
  });
  readonly #connections = new GroupCount(MAX_CONNECTIONS_PER_GROUP);
  readonly #bodies = new MemoryBudget(MAX_BODIES_BYTES);
  readonly #unfinished = new UnfinishedMessages(MAX_UNFINISHED_CLIENT_BYTES);

  constructor(options: BrickchainFaceOptions) {
    this.#options = options;
    this.#clients.on("headers", (headers, { headers: { origin } }) => {
      if (origin !== undefined) headers.push(`Access-Control-Allow-Origin: ${origin}`);
    });
  }

  takes(incoming: IncomingMessage): boolean {
    return this.#route(incoming) !== null;
  }

  request(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const { server, version, isProxy, logger } = this.#options;
    const route = this.#route(incoming)!;
    if (route.kind === "version") {
      const text = `proxy-server/${version}`;
      outgoing.writeHead(200, { "content-type": "text/plain; charset=utf-8", "content-length": text.length });
      return void outgoing.end(incoming.method === "HEAD" ? "" : text);
    }
    if (route.kind === "subscribe") {
      return refuseWith(outgoing, new WasimoffError("invalid_argument", "a WebSocket is expected here"));
    }
    const proxy = isProxy(incoming.socket.remoteAddress ?? "");
    const options = { server, bodies: this.#bodies, ...route, proxy };
    void forwardToBrickchain(incoming, outgoing, options).catch((error) =>
      logger.error("request for a Brickchain client failed", { error })
    );
  }

  upgrade(incoming: IncomingMessage, socket: Duplex, head: Buffer): void {
    const route = this.#route(incoming)!;
    const { headers } = incoming;
    const body = headers["content-length"] !== undefined || headers["transfer-encoding"] !== undefined;
    if (body) {
      const error = new WasimoffError(
        "invalid_argument",
        "a request to switch protocols must not have a body",
      );
      return refuseWith(upgradeAnswer(incoming, socket), error);
    }
    if (headers.upgrade?.toLowerCase() !== "websocket") {
      return this.request(incoming, upgradeAnswer(incoming, socket));
    }
    if (route.kind === "subscribe") return this.#subscribe(incoming, socket, head);
    if (route.kind === "public") return this.#open(incoming, { ...route, socket, head });
    const error = new WasimoffError("invalid_argument", "no WebSocket is served here");
    refuseWith(upgradeAnswer(incoming, socket), error);
  }

  #subscribe(incoming: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { server, audience, clientAddress } = this.#options;
    const forwardedFor = valuesOf(incoming.rawHeaders, "x-forwarded-for").join() || null;
    const address = clientAddress(incoming.socket.remoteAddress ?? "", forwardedFor);
    const leave = this.#connections.enter(addressGroup(address));
    if (leave === null) {
      const error = new WasimoffError(
        "resource_exhausted",
        "too many clients are connected from your address",
      );
      return refuseWith(upgradeAnswer(incoming, socket), error);
    }
    socket.once("close", leave);
    this.#clients.handleUpgrade(incoming, socket, head, (webSocket) => {
      const pipe = new WebSocketMessages(webSocket, socket, this.#unfinished);
      server.accept(pipe, (origin) => audience.accepts(origin, incoming));
    });
  }

  #open(incoming: IncomingMessage, { id, target, socket, head }: PublicUpgrade): void {
    const { server, isProxy } = this.#options;
    const proxy = isProxy(incoming.socket.remoteAddress ?? "");
    try {
      const place = splitTarget(target);
      if (place === null) throw new WasimoffError("invalid_argument", "path is not UTF-8");
      const link = server.admit(id);
      if (!link.opens) throw new WasimoffError("resource_exhausted", "too many WebSockets are open");
      const request = { ...place, headers: requestHeaders(incoming.rawHeaders, { webSocket: true, proxy }) };
      this.#public.handleUpgrade(incoming, socket, head, (webSocket) => {
        const relayed = new BrickchainSocket(webSocket, socket);
        relayed.join(link.open(request, relayed));
      });
    } catch (error) {
      refuseWith(upgradeAnswer(incoming, socket), error);
    }
  }

  #route({ method, url = "", rawHeaders, headers }: IncomingMessage): Route | null {
    const { domain, server, isTunnel } = this.#options;
    const hosts = valuesOf(rawHeaders, "host");
    if (hosts.length !== 1 || !url.startsWith("/")) return null; // refused by the broker itself
    const name = domain?.nameOf(hosts[0]!) ?? null;
    // A host under the domain goes to a tunnel before any path of the broker.
    if (name !== null) {
      return server.has(name) && !isTunnel(name)
        ? { kind: "public", id: name, target: url, onOurHost: false }
        : null;
    }
    const path = url.split("?", 1)[0]!;
    if (path === SUBSCRIBE_PATH) return { kind: "subscribe" };
    if (path.startsWith(PUBLIC_PATH)) {
      const id = path.slice(PUBLIC_PATH.length).split("/", 1)[0]!;
      const target = url.slice(PUBLIC_PATH.length + id.length);
      return { kind: "public", id, target: target.startsWith("/") ? target : `/${target}`, onOurHost: true };
    }
    const wantsPage = /\btext\/html\b/i.test(headers.accept ?? "");
    return path === "/" && (method === "GET" || method === "HEAD") && !wantsPage ? { kind: "version" } : null;
  }
}

interface PublicUpgrade {
  readonly id: string;
  readonly target: string;
  readonly socket: Duplex;
  readonly head: Buffer;
}
