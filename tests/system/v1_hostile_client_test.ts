/** Clients that send by hand what no library would, over real sockets. */

import { match, ok, strictEqual } from "node:assert/strict";
import { connect } from "node:http2";
import { Tokens } from "../../core/broker/identity/tokens.ts";
import { startHash } from "../../core/host/hash.ts";
import { HostCluster } from "../support/host_cluster.ts";
import { exchange } from "../support/open_server.ts";

const RPC = "/api/client/wasimoff.v1.Tasks/RunWasip1";

/** A request with headers as they are written, and a body. */
const http = (method: string, path: string, headers: readonly string[], body = "") =>
  [`${method} ${path} HTTP/1.1`, "Host: localhost", "Connection: close", ...headers, "", body].join("\r\n");

Deno.test("headers by hand: repeated, in any case, in UTF-8, with bodies in chunks", async () => {
  await using cluster = await HostCluster.start();
  await cluster.provider();
  const module = await cluster.store();
  const run = (headers: readonly string[], body: string) =>
    exchange(cluster.port, [http("POST", `/api/client/run/${module}`, headers, body)]);
  const two = [
    "X-ARTIFACT: out, one",
    "x-artifact: two",
    "X-aRgS: write 'out, one' text",
    "Content-Length: 0",
  ];
  const answer = await run(two, "");
  match(answer, /^HTTP\/1.1 200 /);
  const zip = /x-wasimoff-artifacts: (\S+)/i.exec(answer)?.[1] ?? "";
  const names = new TextDecoder("latin1").decode(Uint8Array.fromBase64(zip));
  ok(names.includes("out, one") && names.includes("two/"), names);
  const chunked = await run(
    ["X-Args: echo", "Transfer-Encoding: chunked"],
    "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
  );
  match(chunked, /hello world/);
  const utf8 = await run(["X-Args: write grün text", "X-Artifact: grün", "Content-Length: 0"], "");
  const utf8Zip = /x-wasimoff-artifacts: (\S+)/i.exec(utf8)?.[1] ?? "";
  const decoded = new TextDecoder().decode(Uint8Array.fromBase64(utf8Zip));
  ok(decoded.includes("grün") && !decoded.includes("grün/"), decoded);
});

const HOSTILE: readonly (readonly [request: string, answer: RegExp])[] = [
  [
    http("POST", RPC, ["Content-Type: application/json", "Transfer-Encoding: chunked"], "zz\r\n"),
    /^$|^HTTP\/1.1 4/,
  ],
  [http("POST", RPC, ["Content-Length: 0"]), /^HTTP\/1.1 415 /],
  [http("GET", RPC, []), /^HTTP\/1.1 405 /],
  [http("BREW", RPC, ["Content-Length: 0"]), /^HTTP\/1.1 4|^$/],
  [http("POST", "/api/client/run/..%2F..%2Fetc", ["Content-Length: 0"]), /^HTTP\/1.1 400 /],
  [http("POST", "/api/client/run/%", ["Content-Length: 0"]), /^HTTP\/1.1 400 /],
  [
    http("POST", "/api/client/run/x", [`X-Args: ${"x".repeat(20_000)}`, "Content-Length: 0"]),
    /^HTTP\/1.1 431 |^$/,
  ],
  [http("POST", "/api/client/run/x", ["X-Real-IP: 127.0.0.1", "Content-Length: 0"]), /^HTTP\/1.1 401 /],
  [http("POST", "/api/client/run/x", ["Host: other", "Content-Length: 0"]), /^HTTP\/1.1 400 /],
  [http("POST", "/api/storage/upload?name=sha256:00", ["Content-Length: 4"], "\0asm"), /^HTTP\/1.1 400 /],
  [http("POST", "/api/storage/upload", ["Content-Length: 4"], "PK\x05\x06"), /x-wasimoff-ref: sha256:/i],
];

Deno.test("requests by hand that no library would send leave the broker to the honest", async () => {
  await using cluster = await HostCluster.start();
  await cluster.provider();
  const module = await cluster.store();
  for (const [request, answer] of HOSTILE) {
    match(await exchange(cluster.port, [request]), answer, request.slice(0, 120));
  }
  const honest = http("POST", `/api/client/run/${module}`, ["X-Args: echo", "Content-Length: 4"], "work");
  match(await exchange(cluster.port, [honest]), /work$/);
  strictEqual(cluster.host.broker.stats.running, 0);
});

Deno.test("a client that breaks off in the middle of its task leaves no task behind", async () => {
  await using cluster = await HostCluster.start();
  await cluster.provider();
  const module = await cluster.store();
  const { broker } = cluster.host;
  const json = JSON.stringify({ params: { binary: { ref: module }, args: ["guest", "loop"] } });
  const type = ["Content-Type: application/json", `Content-Length: ${json.length}`];
  const plain = ["X-Args: loop", "Content-Length: 0"];
  for (const request of [http("POST", `/api/client/run/${module}`, plain), http("POST", RPC, type, json)]) {
    const socket = await Deno.connect({ hostname: "127.0.0.1", port: cluster.port });
    await socket.write(new TextEncoder().encode(request));
    for (let i = 0; i < 500 && broker.stats.running === 0; i++) {
      await new Promise((done) => setTimeout(done, 10));
    }
    strictEqual(broker.stats.running, 1);
    socket.close();
    for (let i = 0; i < 500 && broker.stats.running > 0; i++) {
      await new Promise((done) => setTimeout(done, 10));
    }
    strictEqual(broker.stats.running, 0);
  }
});

/** The status of a call that is refused before it is read. */
async function grpcStatus(
  port: number,
  headers: Record<string, string>,
  path = RPC.slice(11),
): Promise<unknown> {
  const session = connect(`http://127.0.0.1:${port}`);
  const stream = session.request({
    ":method": "POST",
    ":path": path,
    "content-type": "application/grpc",
    ...headers,
  });
  const status = new Promise((resolve, reject) => {
    stream.on("response", (answer) => resolve(answer[":status"]));
    stream.on("error", reject);
  });
  stream.end();
  try {
    return await status;
  } finally {
    session.destroy();
  }
}

Deno.test("gRPC lets in whom the other doors let in", async () => {
  const tokens = new Tokens(["secret"], startHash);
  const grpc = { hostname: "127.0.0.1", port: 0 };
  await using cluster = await HostCluster.start({ grpc, tokens });
  const port = cluster.host.grpcAddress?.port ?? 0;
  const remote = { "x-forwarded-for": "192.0.2.7" };
  strictEqual(await grpcStatus(port, remote), 401);
  strictEqual(await grpcStatus(port, { ...remote, authorization: "Bearer wrong" }), 401);
  strictEqual(await grpcStatus(port, { ...remote, authorization: "Bearer secret" }), 200);
  strictEqual(await grpcStatus(port, { origin: "http://evil.example" }), 403);
  strictEqual(await grpcStatus(port, {}, "/wasimoff.v1.Tasks/Nothing"), 501);
  strictEqual(await grpcStatus(port, {}), 200);
});
