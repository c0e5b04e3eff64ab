/**
 * HTTP requests per second through broker and tunnel, beside the service itself and a plain reverse proxy of node:http in
 * front of it, all on loopback. Ends with 1 when a target is missed (issue 6).
 */

// deno-lint-ignore-file no-console -- prints what it measures
import { CommandProcess } from "../support/real_cluster.ts";

const SECONDS = Number(Deno.env.get("WASIMOFF_BENCH_SECONDS") ?? 1);
/** One way after the other, so that all meet the same machine. */
const ROUNDS = 4;
const CONNECTIONS = [1, 16, 64];
const TARGET_REQUESTS = 10_000;
/** A cliff: more connections must not make it this much slower. */
const MAX_LOSS = 0.75;
const SERVER = new URL("../support/http_bench_server.ts", import.meta.url).pathname;

/** Where the status is, and the first digit of the good ones. */
const STATUS = "HTTP/1.1 ".length;
const OK = "2".charCodeAt(0);
const END = new TextEncoder().encode("\r\n\r\nok");

const misses: string[] = [];

/** One request and its answer, whose body ends it. */
async function exchange(connection: Deno.TcpConn, request: Uint8Array, buffer: Uint8Array): Promise<void> {
  await connection.write(request);
  for (let got = 0;;) {
    const length = await connection.read(buffer.subarray(got));
    if (length === null) throw new Error("connection has ended");
    got += length;
    if (got > STATUS && buffer[STATUS] !== OK) {
      throw new Error(new TextDecoder().decode(buffer.subarray(0, got)));
    }
    if (END.every((byte, i) => buffer[got - END.length + i] === byte)) return;
  }
}

/** Requests per second over so many connections, and their times in milliseconds in order of size. */
async function requests(port: number, host: string, connections: number): Promise<[number, number[]]> {
  const request = new TextEncoder().encode(
    `GET /path?query HTTP/1.1\r\nHost: ${host}\r\nAccept: */*\r\n\r\n`,
  );
  const times: number[] = [];
  const open = await Promise.all(Array.from({ length: connections }, async () => {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    connection.setNoDelay(true);
    await exchange(connection, request, new Uint8Array(4096));
    return connection;
  }));
  const start = performance.now();
  const end = start + SECONDS * 1_000;
  await Promise.all(open.map(async (connection) => {
    const buffer = new Uint8Array(4096);
    for (let before = performance.now(); before < end;) {
      await exchange(connection, request, buffer);
      const now = performance.now();
      times.push(now - before);
      before = now;
    }
    connection.close();
  }));
  return [times.length / ((performance.now() - start) / 1_000), times.sort((a, b) => a - b)];
}

interface Way {
  readonly name: string;
  readonly port: number;
  readonly host: string;
  /** The best round: others use the machine, too. */
  readonly best: Map<number, number>;
}

async function measure({ name, port, host, best }: Way): Promise<void> {
  for (const connections of CONNECTIONS) {
    const [rate, times] = await requests(port, host, connections);
    const at = (part: number) => times[Math.floor((times.length - 1) * part)]!.toFixed(3);
    console.log(
      `${name}, ${connections} connections: ${rate.toFixed(0)} requests/s, p50 ${at(0.5)}, p99 ${
        at(0.99)
      } ms`,
    );
    best.set(connections, Math.max(rate, best.get(connections) ?? 0));
  }
}

async function startServer(stack: AsyncDisposableStack, ...args: string[]): Promise<number> {
  const child = new Deno.Command(Deno.execPath(), { args: ["run", "-A", SERVER, ...args], stdout: "piped" })
    .spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  stack.defer(async () => {
    child.kill();
    await child.status;
    await reader.cancel();
  });
  return Number((await reader.read()).value);
}

function hold(what: string, value: number, holds: boolean): void {
  console.log(`  ${holds ? "ok    " : "MISSED"} ${what}: ${value.toFixed(2)}`);
  if (!holds) misses.push(what);
}

async function main(): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const service = await startServer(stack, "service");
  const proxy = await startServer(stack, "proxy", String(service));
  const broker = stack.use(new CommandProcess(["broker", "--http", "localhost:0", "--quic", "off"]));
  const [, url = ""] = await broker.said(/ready at (http:\S+)/);
  const home = await Deno.makeTempDir();
  stack.defer(() => Deno.remove(home, { recursive: true }));
  const args = [
    "tunnel",
    "http",
    String(service),
    "--name",
    "bench",
    "--transport",
    "websocket",
    "--url",
    url,
  ];
  const tunnel = stack.use(
    new CommandProcess(args, { env: { XDG_CONFIG_HOME: home, XDG_STATE_HOME: "/dev/null" } }),
  );
  await tunnel.said(/is open/);
  const way = (name: string, port: number, host = "localhost"): Way => ({
    name,
    port,
    host,
    best: new Map(),
  });
  const ours = way("broker and tunnel", Number(new URL(url).port), "bench.localhost");
  const ways = [way("service itself", service), way("plain reverse proxy", proxy), ours];
  for (const { port, host } of ways) await requests(port, host, 16); // warm
  for (let round = 0; round < ROUNDS; round++) for (const way of ways) await measure(way);
  for (const { name, best } of ways) {
    console.log(`best of ${name}: ${[...best].map(([n, rate]) => `${n}: ${rate.toFixed(0)}`).join(", ")}`);
  }
  for (const connections of [16, 64]) {
    const rate = ours.best.get(connections)!;
    hold(`requests/s at ${connections} connections (>= ${TARGET_REQUESTS})`, rate, rate >= TARGET_REQUESTS);
  }
  const kept = ours.best.get(64)! / ours.best.get(16)!;
  hold(`requests/s at 64 connections / at 16 (>= ${MAX_LOSS})`, kept, kept >= MAX_LOSS);
}

await main();
if (misses.length > 0) {
  console.error(`missed: ${misses.join("; ")}`);
  Deno.exit(1);
}
Deno.exit(0);
