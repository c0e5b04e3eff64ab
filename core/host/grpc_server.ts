/** gRPC for existing clients that speak nothing else: HTTP/2 without TLS on a port of its own (`--grpc`). */

import { createServer, type Http2Server, type Http2Session } from "node:http2";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import type { AddressInfo } from "node:net";
import { universalRequestFromNodeRequest, universalResponseToNodeResponse } from "@connectrpc/connect-node";
import type { AccessDeps } from "../broker/http/access.ts";
import { peerText, RPC_PREFIX } from "../broker/http/connect_rpc.ts";
import { type RpcDeps, rpcHandlers } from "../broker/http/rpc_handlers.ts";
import { type Code, httpStatus, WasimoffError } from "../errors.ts";
import { type ListenAddress, listenOn } from "./listen_on.ts";

export interface GrpcServerOptions extends RpcDeps, AccessDeps {
  readonly listen: ListenAddress;
}

/** Calls of one connection at once. */
const MAX_STREAMS = 1_024;
/** Connections at once; the next ones are cut. */
const MAX_SESSIONS = 1_024;

export class GrpcServer {
  readonly #server: Http2Server;
  readonly #sessions = new Set<Http2Session>();

  private constructor(server: Http2Server) {
    this.#server = server;
    server.on("session", (session) => {
      if (this.#sessions.size >= MAX_SESSIONS) return session.destroy();
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

type Listener = (request: Http2ServerRequest, response: Http2ServerResponse) => void;

function listener({ identify, allowsOrigin, ...deps }: GrpcServerOptions): Listener {
  const handlers = rpcHandlers(deps, { grpc: true });
  const serve = async (request: Http2ServerRequest, response: Http2ServerResponse) => {
    const headers = headersOf(request);
    if (!allowsOrigin(headers.get("origin"), headers.get("host"))) {
      throw new WasimoffError("permission_denied", "this page may not use the broker: see --allowed-origins");
    }
    const { remoteAddress = "", remotePort } = request.socket;
    const identity = identify({ remoteAddress, headers });
    // Existing clients ask where the other protocols are, too; those that take no path ask at the root.
    const { url: asked } = request;
    const handler = handlers.get(asked.startsWith(RPC_PREFIX) ? asked.slice(RPC_PREFIX.length) : asked);
    if (handler === undefined) throw new WasimoffError("unimplemented", "no such procedure");
    const caller = { identity, requester: peerText(remoteAddress, remotePort) };
    const universal = universalRequestFromNodeRequest(request, response, undefined, undefined);
    const stream = ReadableStream.from(universal.body as AsyncIterable<Uint8Array<ArrayBuffer>>);
    const { url, signal } = universal;
    const body = new Request(url, { method: "POST", body: stream, headers, signal });
    await universalResponseToNodeResponse(await handler({ ...universal, body, caller }), response);
  };
  return (request, response) => {
    serve(request, response).catch((error) => {
      if (!(error instanceof WasimoffError)) deps.logger.debug("call broke off", { error });
      refuse(response, WasimoffError.from(error, "internal").code);
    });
  };
}

/** Clients of gRPC know what an HTTP status stands for; no body is read before. */
function refuse(response: Http2ServerResponse, code: Code): void {
  if (response.headersSent) return response.stream.close();
  response.writeHead(httpStatus(code));
  response.end();
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
