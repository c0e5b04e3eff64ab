/** gRPC for existing clients that speak nothing else: HTTP/2 without TLS on a port of its own (`--grpc`). */

import { createServer, type Http2Server, type Http2Session } from "node:http2";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import type { AddressInfo } from "node:net";
import { createContextValues } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { CALLER, type ConnectRpcDeps, routeTasks, rpcOptions } from "../broker/http/connect_rpc.ts";
import type { AccessDeps } from "../broker/http/access.ts";
import type { Identity } from "../broker/identity/identifier.ts";
import { httpStatus, WasimoffError } from "../errors.ts";
import { type ListenAddress, listenOn } from "./listen_on.ts";

export interface GrpcServerOptions extends ConnectRpcDeps, AccessDeps {
  readonly listen: ListenAddress;
}

/** Calls of one connection at once. */
const MAX_STREAMS = 1_024;

export class GrpcServer {
  readonly #server: Http2Server;
  readonly #sessions = new Set<Http2Session>();

  private constructor(server: Http2Server) {
    this.#server = server;
    server.on("session", (session) => {
      this.#sessions.add(session);
      session.once("close", () => this.#sessions.delete(session));
    });
  }

  /** Rejects with `failed_precondition` for an address that cannot be used. */
  static async start(options: GrpcServerOptions): Promise<GrpcServer> {
    const server = createServer({ settings: { maxConcurrentStreams: MAX_STREAMS } });
    const started = new GrpcServer(server);
    server.on("request", listener(options));
    await listenOn(server, options.listen);
    return started;
  }

  /** Where it listens, with the real port. */
  get address(): ListenAddress {
    const { address, port } = this.#server.address() as AddressInfo;
    return { hostname: address, port };
  }

  /** Cuts what is still open. */
  async close(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    for (const session of this.#sessions) session.destroy();
    await promise;
  }
}

/** Who is not let in gets an HTTP status before any body is read; clients of gRPC know what it stands for. */
function listener({ identify, allowsOrigin, tasks, logger, compression }: GrpcServerOptions) {
  const callers = new WeakMap<object, Identity>();
  const serve = connectNodeAdapter({
    ...rpcOptions(compression),
    routes: (router) => routeTasks(router, { tasks, logger }),
    contextValues: (request) => {
      const identity = callers.get(request)!;
      return createContextValues().set(CALLER, { identity, requester: peerOf(request.socket) });
    },
  });
  return (request: Http2ServerRequest, response: Http2ServerResponse) => {
    try {
      const headers = headersOf(request);
      if (!allowsOrigin(headers.get("origin"), headers.get("host"))) {
        throw new WasimoffError("permission_denied", "this page may not use the broker");
      }
      const remoteAddress = request.socket.remoteAddress ?? "";
      callers.set(request, identify({ remoteAddress, headers }));
    } catch (error) {
      const { code, message } = WasimoffError.from(error, "internal");
      response.writeHead(httpStatus(code), { "content-type": "text/plain" });
      response.end(message);
      return;
    }
    serve(request, response);
  };
}

/** With the authority as the Host that HTTP/2 does without. */
function headersOf(request: Http2ServerRequest): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    if (name.startsWith(":") || value === undefined) continue;
    for (const one of [value].flat()) headers.append(name, one);
  }
  const authority = request.headers[":authority"];
  if (authority !== undefined) headers.set("host", authority);
  return headers;
}

function peerOf({ remoteAddress = "", remotePort }: Http2ServerRequest["socket"]): string {
  const host = remoteAddress.includes(":") ? `[${remoteAddress}]` : remoteAddress;
  return remotePort === undefined ? host : `${host}:${remotePort}`;
}
