/**
 * Servers of the bench of HTTP tunnels, each a process that prints its port: `service` answers with 2 bytes, `proxy PORT`
 * is a plain reverse proxy of node:http in front of another one.
 */

// deno-lint-ignore-file no-console -- prints where it listens
import { Agent, createServer, request, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";

const service: RequestListener = (_request, response) => {
  response.setHeader("content-type", "text/plain");
  response.setHeader("content-length", 2);
  response.end("ok");
};

function proxy(port: number): RequestListener {
  const agent = new Agent({ keepAlive: true });
  return (incoming, outgoing) => {
    const { method = "GET", url = "/", headers } = incoming;
    const sent = request({ agent, port, host: "127.0.0.1", method, path: url, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(outgoing);
    });
    incoming.pipe(sent);
  };
}

const [kind, port] = Deno.args;
const server = createServer(kind === "proxy" ? proxy(Number(port)) : service);
server.listen(0, "127.0.0.1", () => console.log((server.address() as AddressInfo).port));
