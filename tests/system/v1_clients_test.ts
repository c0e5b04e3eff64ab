/** Clients of the existing programs at our broker, by every door, with a real provider. */

import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import { Agent } from "node:http";
import { create } from "@bufbuild/protobuf";
import { type Client, Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import {
  compressionGzip,
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
  Http2SessionManager,
} from "@connectrpc/connect-node";
import {
  Filesystem_Upload_RequestSchema,
  Filesystem_Upload_Response,
  Task_TraceEvent_EventType as TraceEvent,
  Task_Wasip1_RequestSchema,
  type Task_Wasip1_Response,
  Tasks,
} from "../../core/protocol/gen/wasimoff/v1/messages_pb.ts";
import { unpackZip } from "../../core/wasi/rootfs.ts";
import { GUEST, HostCluster } from "../support/host_cluster.ts";
import { BINARY_V1, JSON_V1, ScriptedClientV1 } from "../support/scripted_client_v1.ts";
import { until } from "../support/real_slots.ts";

const text = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);
const bytes = (content: string) => new TextEncoder().encode(content);

function connect(port: number, useBinaryFormat: boolean, gzip = false): Transport {
  return createConnectTransport({
    baseUrl: `http://127.0.0.1:${port}/api/client`,
    httpVersion: "1.1",
    useBinaryFormat,
    nodeOptions: { agent: new Agent({ keepAlive: false }) },
    ...(gzip &&
      { sendCompression: compressionGzip, acceptCompression: [compressionGzip], compressMinBytes: 0 }),
  });
}

async function echoes(client: Client<typeof Tasks>): Promise<Task_Wasip1_Response> {
  const { ref } = await client.upload({ upload: { media: "application/wasm", ref: "guest", blob: GUEST } });
  match(ref ?? "", /^sha256:[0-9a-f]{64}$/);
  const response = await client.runWasip1({
    info: { id: "mine", reference: "ref-1", requester: "forged" },
    params: { binary: { ref: "guest" }, args: ["guest", "echo"], stdin: bytes("hello") },
  });
  if (response.result.case !== "ok") throw new Error(response.result.value);
  strictEqual(text(response.result.value.stdout), "hello");
  strictEqual(response.result.value.status, 0);
  strictEqual(response.info?.reference, "ref-1");
  strictEqual(response.info.provider, "p");
  ok(response.info.id !== "mine" && response.info.id !== "");
  return response;
}

Deno.test("a generated client runs tasks by Connect in binary, JSON and gzip, and by gRPC-Web", async () => {
  await using cluster = await HostCluster.start();
  await cluster.provider();
  const { port } = cluster;
  for (const [binary, gzip] of [[true, false], [false, false], [true, true], [false, true]] as const) {
    const response = await echoes(createClient(Tasks, connect(port, binary, gzip)));
    match(response.info?.requester ?? "", /^127\.0\.0\.1:\d+$/);
  }
  const web = createGrpcWebTransport({
    baseUrl: `http://127.0.0.1:${port}/api/client`,
    httpVersion: "1.1",
    nodeOptions: { agent: new Agent({ keepAlive: false }) },
  });
  await echoes(createClient(Tasks, web));
});

Deno.test("a generated client runs tasks by gRPC over HTTP/2, on a port of its own", async () => {
  await using cluster = await HostCluster.start({ grpc: { hostname: "127.0.0.1", port: 0 } });
  await cluster.provider();
  const baseUrl = `http://127.0.0.1:${cluster.host.grpcAddress?.port}`;
  const sessionManager = new Http2SessionManager(baseUrl);
  const client = createClient(Tasks, createGrpcTransport({ baseUrl, sessionManager }));
  await echoes(client);
  const atPath = createGrpcTransport({ baseUrl: `${baseUrl}/api/client`, sessionManager });
  await echoes(createClient(Tasks, atPath));
  await rejects(
    client.runWasip1({ params: { binary: { ref: "none" } } }),
    isError(Code.NotFound, /Ref not found/),
  );
  sessionManager.abort();
});

const isError = (code: Code, message: RegExp) => (error: unknown) => {
  ok(error instanceof ConnectError);
  strictEqual(Code[error.code], Code[code]);
  match(error.rawMessage, message);
  return true;
};

Deno.test("what is wrong with a request is told by the codes of Connect", async () => {
  await using cluster = await HostCluster.start({ maxQueue: 0 });
  const client = createClient(Tasks, connect(cluster.port, false));
  const run = (params: object, qos = {}) => client.runWasip1({ params, qos });
  const binary = { blob: GUEST };
  await rejects(run({ binary: { ref: "x" } }), isError(Code.NotFound, /^Ref not found in storage$/));
  await rejects(run({ binary: {} }), isError(Code.InvalidArgument, /^both Blob and Ref are nil$/));
  await rejects(
    run({ binary: { blob: GUEST, ref: "" } }),
    isError(Code.InvalidArgument, /^don't use both Blob and Ref together$/),
  );
  await rejects(run({}), isError(Code.InvalidArgument, /^file cannot be nil/));
  await rejects(client.runWasip1({}), isError(Code.InvalidArgument, /^file cannot be nil/));
  await rejects(run({ binary }), isError(Code.ResourceExhausted, /^429: Queue Full$/));
  await rejects(run({ binary }, { immediate: true }), isError(Code.Unavailable, /^qos: no idle provider/));
  const full = await fetch(`http://127.0.0.1:${cluster.port}/api/client/wasimoff.v1.Tasks/RunWasip1`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ params: { binary: { blob: GUEST.toBase64() }, unknown: 1 } }),
  });
  strictEqual(full.status, 429);
  strictEqual(full.headers.get("retry-after"), "1");
  deepStrictEqual(await full.json(), { code: "resource_exhausted", message: "429: Queue Full" });
});

Deno.test("a timeout of the client and a client that goes both stop the guest, and free its slot", async () => {
  await using cluster = await HostCluster.start();
  await cluster.provider();
  const client = createClient(Tasks, connect(cluster.port, true));
  const params = { binary: { blob: GUEST }, args: ["guest", "loop"] };
  await rejects(client.runWasip1({ params }, { timeoutMs: 500 }), isError(Code.DeadlineExceeded, /./));
  const gone = new AbortController();
  const left = client.runWasip1({ params }, { signal: gone.signal });
  await until(() => cluster.host.broker.stats.running === 1, 5_000);
  gone.abort();
  await rejects(left, isError(Code.Canceled, /./));
  await until(() => cluster.host.broker.stats.running === 0, 5_000);
  await echoes(client);
});

Deno.test("the end of the guest itself is a result, its failures are errors of the task", async () => {
  await using cluster = await HostCluster.start();
  await cluster.provider();
  const client = createClient(Tasks, connect(cluster.port, true));
  const run = async (...args: string[]) => {
    const { result } = await client.runWasip1({
      params: { binary: { blob: GUEST }, args: ["guest", ...args] },
    });
    return result;
  };
  const exit = await run("exit", "255");
  ok(exit.case === "ok" && exit.value.status === 255 && exit.value.artifacts === undefined);
  const trap = await run("trap");
  ok(trap.case === "error");
  match(trap.value, /^trap: .*unreachable/);
  const flood = await run("flood");
  ok(flood.case === "error");
  match(flood.value, /^limit: /);
});

Deno.test("artifacts come back as the existing programs expect them, and a trace tells the whole way", async () => {
  await using cluster = await HostCluster.start();
  await cluster.provider();
  const client = createClient(Tasks, connect(cluster.port, true));
  const sent = { created: 7n, events: [{ event: TraceEvent.ClientTransmitRequest, unixnano: 8n }] };
  const { info, result } = await client.runWasip1({
    info: { trace: sent },
    params: {
      binary: { blob: GUEST },
      args: ["guest", "write", "out", "text"],
      artifacts: ["/out", "missing"],
    },
  });
  ok(result.case === "ok");
  const { root } = await unpackZip(result.value.artifacts?.blob ?? new Uint8Array());
  deepStrictEqual(root.list().map(({ name }) => name), ["out", "missing"]);
  strictEqual(result.value.artifacts?.ref, undefined);
  strictEqual(info?.trace?.created, 7n);
  const events = info.trace.events.map(({ event }) => event);
  deepStrictEqual(events, [11, 21, 22, 23, 24, 31, 32, 33, 34, 35, 36, 37, 25, 26]);
});

for (const protocol of [BINARY_V1, JSON_V1]) {
  Deno.test(`a client on a WebSocket runs and uploads in ${protocol}`, async () => {
    await using cluster = await HostCluster.start();
    await cluster.provider();
    await using client = await ScriptedClientV1.open(cluster.port, [protocol]);
    strictEqual(client.protocol, protocol);
    client.request(
      0n,
      Filesystem_Upload_RequestSchema,
      create(Filesystem_Upload_RequestSchema, {
        upload: { blob: GUEST, media: "application/wasm", ref: "g" },
      }),
    );
    const uploaded = await client.next();
    strictEqual(uploaded.sequence, 0n);
    strictEqual(uploaded.error, undefined);
    match((uploaded.payload as Filesystem_Upload_Response).ref ?? "", /^sha256:/);
    const request = create(Task_Wasip1_RequestSchema, {
      params: { binary: { ref: "g" }, args: ["guest", "echo"], stdin: bytes("over the socket") },
    });
    client.request(9n, Task_Wasip1_RequestSchema, request);
    const { sequence, payload } = await client.next();
    strictEqual(sequence, 9n);
    const { result, info } = payload as Task_Wasip1_Response;
    ok(result.case === "ok");
    strictEqual(text(result.value.stdout), "over the socket");
    strictEqual(info?.requester, "");
    client.request(10n, Task_Wasip1_RequestSchema, create(Task_Wasip1_RequestSchema, {}));
    strictEqual((await client.next()).error, "file cannot be nil: task has no binary");
  });
}

Deno.test("a client that closes its WebSocket cancels all of its tasks", async () => {
  await using cluster = await HostCluster.start();
  await cluster.provider();
  const client = await ScriptedClientV1.open(cluster.port);
  const request = create(Task_Wasip1_RequestSchema, {
    params: { binary: { blob: GUEST }, args: ["guest", "loop"] },
  });
  for (const sequence of [1n, 2n, 3n]) client.request(sequence, Task_Wasip1_RequestSchema, request);
  const { broker } = cluster.host;
  await until(() => broker.stats.running === 1 && broker.stats.queued === 2, 10_000);
  await client[Symbol.asyncDispose]();
  await until(() => broker.stats.running + broker.stats.queued === 0, 10_000);
  deepStrictEqual(broker.stats.totals.finished.cancelled, 3);
});

Deno.test("a task runs by plain HTTP, with its headers in any case", async () => {
  await using cluster = await HostCluster.start();
  await cluster.provider();
  const url = `http://127.0.0.1:${cluster.port}`;
  const upload = await fetch(`${url}/api/storage/upload?name=guest`, { method: "POST", body: GUEST });
  const ref = (await upload.text()).trim();
  const run = (name: string, args: string, headers: Record<string, string> = {}, body = "") =>
    fetch(`${url}/api/client/run/${name}`, { method: "POST", headers: { "x-ArGs": args, ...headers }, body });
  for (const name of ["guest", ref, encodeURIComponent(ref)]) {
    const answer = await run(name, "echo", {}, "piped");
    strictEqual(answer.status, 200);
    strictEqual(answer.headers.get("x-wasimoff-result"), "Ok");
    strictEqual(answer.headers.get("x-wasimoff-status"), "0");
    strictEqual(answer.headers.get("x-wasimoff-provider"), "p");
    strictEqual(answer.headers.get("content-type"), "text/plain; charset=utf-8");
    strictEqual(await answer.text(), "piped");
  }
  const wrote = await run("guest", "write 'a file' \"some text\"", { "X-ARTIFACT": "a file" });
  const { root } = await unpackZip(Uint8Array.fromBase64(wrote.headers.get("x-wasimoff-artifacts") ?? ""));
  deepStrictEqual(root.list().map(({ name }) => name), ["a file"]);
  await wrote.body?.cancel();
  const trap = await run("guest", "trap");
  strictEqual(trap.headers.get("x-wasimoff-result"), "Error");
  match(await trap.text(), /^trap: /);
  for (
    const [name, args, status] of [["none", "", 404], ["guest", "'", 400], ["..%2Fguest", "", 400]] as const
  ) {
    const refused = await run(name, args);
    strictEqual(refused.status, status, name);
    await refused.body?.cancel();
  }
  const get = await fetch(`${url}/api/client/run/guest`);
  strictEqual(get.status, 405);
  strictEqual(get.headers.get("allow"), "POST");
  await get.body?.cancel();
});
