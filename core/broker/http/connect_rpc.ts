/** Remote calls by Connect and gRPC-Web, on the port of everything else. */

import { universalServerResponseToFetch } from "@connectrpc/connect/protocol";
import { WasimoffError } from "../../errors.ts";
import { Tasks } from "../../protocol/gen/wasimoff/v1/messages_pb.ts";
import type { HttpContext } from "./http_env.ts";
import { type RpcDeps, rpcHandlers } from "./rpc_handlers.ts";

/** Where existing clients look for the service. */
const RPC_PREFIX = "/api/client";
export const RPC_PATH = `${RPC_PREFIX}/${Tasks.typeName}/`;

/** gRPC proper is refused here: clients of HTTP/1.1 do not read trailers. */
export function connectHandler(deps: RpcDeps): (context: HttpContext) => Promise<Response> {
  const handlers = rpcHandlers(deps, { grpc: false });
  return async (context) => {
    const handler = handlers.get(context.req.path.slice(RPC_PREFIX.length));
    if (handler === undefined) throw new WasimoffError("not_found", "no such procedure");
    const { method, url, headers: header, body, signal } = context.req.raw;
    const { remoteAddress, remotePort } = context.env;
    const caller = { identity: context.get("identity"), requester: peerText(remoteAddress, remotePort) };
    const request = { httpVersion: "1.1", method, url, header, body, signal, caller };
    const answer = universalServerResponseToFetch(await handler(request));
    if (answer.status === 405) answer.headers.set("allow", "POST");
    return answer;
  };
}

/** As the existing broker tells it; without a port where the platform knows none. */
export function peerText(address: string, port: number | undefined): string {
  const host = address.includes(":") ? `[${address}]` : address;
  return port ? `${host}:${port}` : host;
}
