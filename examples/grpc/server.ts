/** A gRPC server as any other: it knows nothing of tunnels. `deno run -A examples/grpc/server.ts [PORT]` */

import { createServer, type Http2Server } from "node:http2";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { Greeter } from "./greeter_pb.ts";

/** HTTP/2 without TLS, ready to listen. */
export function greeterServer(): Http2Server {
  return createServer(connectNodeAdapter({
    routes: (router) =>
      router.service(Greeter, {
        greet: ({ name }) => ({ greeting: `Hello, ${name || "whoever you are"}!` }),
      }),
  }));
}

if (import.meta.main) greeterServer().listen(Number(Deno.args[0] ?? 50051), "127.0.0.1");
