/** Remote calls by Connect and gRPC-Web, on the port of everything else. */

import type { UniversalServerResponse } from "@connectrpc/connect/protocol";
import { WasimoffError } from "../../errors.ts";
import { Tasks } from "../../protocol/gen/wasimoff/v1/messages_pb.ts";
import type { HttpContext } from "./http_env.ts";
import { type RpcDeps, rpcHandlers } from "./rpc_handlers.ts";

/** Where existing clients look for the service. */
export const RPC_PREFIX = "/api/client";
export const RPC_PATH = `${RPC_PREFIX}/${Tasks.typeName}/`;

/** gRPC proper is refused here: clients of HTTP/1.1 do not read trailers. */
export function connectHandler(deps: RpcDeps): (context: HttpContext) => Promise<Response> {
  const handlers = rpcHandlers(deps, { grpc: false });
  return async (context) => {
    const handler = handlers.get(context.req.path.slice(RPC_PREFIX.length));
    if (handler === undefined) throw new WasimoffError("not_found", "no such procedure");
    const { raw } = context.req;
    const { method, url, headers: header, signal } = raw;
    const { remoteAddress, remotePort } = context.env;
    const caller = { identity: context.get("identity"), requester: peerText(remoteAddress, remotePort) };
    return response(await handler({ httpVersion: "1.1", method, url, header, body: raw, signal, caller }));
  };
}

/** All of it at once: a stream would cost more, and there is nothing to wait for. */
async function response({ status, header, body }: UniversalServerResponse): Promise<Response> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  for await (const chunk of body ?? []) chunks.push(chunk as Uint8Array<ArrayBuffer>);
  const headers = header ?? new Headers();
  if (status === 405) headers.set("allow", "POST");
  return new Response(chunks.length === 1 ? chunks[0]! : new Blob(chunks), { status, headers });
}

/** As the existing broker tells it; without a port where the platform knows none. */
export function peerText(address: string, port: number | undefined): string {
  const host = address.includes(":") ? `[${address}]` : address;
  return port ? `${host}:${port}` : host;
}
