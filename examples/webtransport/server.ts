/** Serves the counter: `deno run -A examples/webtransport/server.ts [HTTP-PORT [QUIC-PORT]]`. */

// deno-lint-ignore-file no-console -- a program that says where it is
import { createEphemeralCertificate } from "../../core/host/ephemeral_certificate.ts";
import { QuicListener } from "../../core/host/quic_listener.ts";
import { quicStreamErrorCode } from "../../core/host/quic_stream_error.ts";
import { silent } from "../../core/log.ts";
import { WebTransportServer } from "../../core/webtransport/server.ts";
import { Counter } from "./counter.ts";

const hostname = "127.0.0.1";
const [httpPort = 8080, quicPort = 4433] = Deno.args.map(Number);

const certificate = await createEphemeralCertificate(["localhost", hostname], Date.now());
const server = new WebTransportServer({
  routes: { "/counter": new Counter() },
  streamErrorCode: quicStreamErrorCode,
  onError: (error) => console.error(error),
});
const listener = await QuicListener.listen({
  hostname,
  port: quicPort,
  credentials: certificate,
  alpnProtocols: ["h3"],
  onConnection: (connection) => void server.serve(connection),
  logger: silent,
});
const url = `https://${hostname}:${listener.address.port}/counter`;

const FILES: Readonly<Record<string, string>> = { "/": "index.html", "/counter.js": "counter.js" };
const TYPES: Readonly<Record<string, string>> = { html: "text/html", js: "text/javascript" };

const onListen = ({ port }: { port: number }) => console.log(`open http://${hostname}:${port}/`);
Deno.serve({ hostname, port: httpPort, onListen }, async (request) => {
  const { pathname } = new URL(request.url);
  if (pathname === "/server.json") return Response.json({ url, hash: certificate.hash });
  const name = FILES[pathname];
  if (name === undefined) return new Response("not found", { status: 404 });
  const headers = { "content-type": TYPES[name.split(".")[1] as string] as string };
  return new Response(await Deno.readTextFile(new URL(name, import.meta.url)), { headers });
});
