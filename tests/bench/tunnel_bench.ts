/**
 * TCP through a tunnel beside a direct connection and `ssh -R` with aes128-gcm, all on loopback: requests per second, one
 * stream each way, connect plus first byte, memory of idle tunnels. Ends with 1 when a target is missed (issue 6).
 */

// deno-lint-ignore-file no-console -- prints what it measures
import { silent } from "../../core/log.ts";
import { connectTunnels } from "../../core/host/connect_tunnels.ts";
import { anyAccess } from "../../core/host/dial_broker.ts";
import { serviceDialer } from "../../core/host/service_dialer.ts";
import { TunnelClient } from "../../core/tunnel/tunnel_client.ts";
import { generateTunnelKey, tunnelIdentity } from "../../core/tunnel/tunnel_key.ts";
import { CommandProcess } from "../support/real_cluster.ts";
import { SshServer } from "../support/ssh_server.ts";
import { ECHO, SINK, SOURCE } from "../support/stream_service.ts";
import { freePorts } from "../support/tcp_service.ts";

const SECONDS = Number(Deno.env.get("WASIMOFF_BENCH_SECONDS") ?? 2);
const REQUEST = new Uint8Array(128).fill(ECHO);
const CHUNK = new Uint8Array(256 * 1024).fill(SINK);
const IDLE_TUNNELS = 1_000;
const CONNECTS = 300;

const TARGET_REQUESTS = 1.2;
const TARGET_STREAM = 0.8;
const TARGET_CONNECT_MS = 1;
/** What Nagle's algorithm costs when it waits for a delayed acknowledgement; no request may take so long. */
const STALL_MS = 38;
const TARGET_IDLE_KIB = 64;

const misses: string[] = [];

function hold(what: string, value: number, holds: boolean): void {
  console.log(`  ${holds ? "ok    " : "MISSED"} ${what}: ${value.toFixed(2)}`);
  if (!holds) misses.push(what);
}

const at = (sorted: readonly number[], part: number) => sorted[Math.floor((sorted.length - 1) * part)]!;

async function open(port: number): Promise<Deno.TcpConn> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  connection.setNoDelay(true);
  return connection;
}

async function exchange(connection: Deno.TcpConn, buffer: Uint8Array): Promise<void> {
  await connection.write(REQUEST);
  for (let got = 0; got < REQUEST.length;) {
    const length = await connection.read(buffer);
    if (length === null) throw new Error("connection has ended");
    got += length;
  }
}

/** Requests per second over so many connections, and their times in order of size. */
async function requests(port: number, connections: number): Promise<{ rate: number; times: number[] }> {
  const times: number[] = [];
  const open_ = await Promise.all(Array.from({ length: connections }, () => open(port)));
  for (const connection of open_) await exchange(connection, new Uint8Array(1024));
  const start = performance.now();
  const end = start + SECONDS * 1_000;
  await Promise.all(open_.map(async (connection) => {
    const buffer = new Uint8Array(1024);
    for (let before = performance.now(); before < end;) {
      await exchange(connection, buffer);
      const now = performance.now();
      times.push(now - before);
      before = now;
    }
    connection.close();
  }));
  const rate = times.length / ((performance.now() - start) / 1_000);
  return { rate, times: times.sort((a, b) => a - b) };
}

/** Megabytes per second of one stream towards the service. */
async function upload(port: number): Promise<number> {
  using connection = await open(port);
  const start = performance.now();
  let sent = 0;
  while (performance.now() - start < SECONDS * 1_000) sent += await connection.write(CHUNK);
  await connection.closeWrite();
  await connection.read(new Uint8Array(1)); // all have arrived
  return sent / 1e6 / ((performance.now() - start) / 1_000);
}

async function download(port: number): Promise<number> {
  using connection = await open(port);
  const start = performance.now();
  await connection.write(Uint8Array.of(SOURCE));
  const buffer = new Uint8Array(CHUNK.length);
  let received = 0;
  while (performance.now() - start < SECONDS * 1_000) received += await connection.read(buffer) ?? 0;
  return received / 1e6 / ((performance.now() - start) / 1_000);
}

/** Milliseconds from connect to the first byte back, in order of size. */
async function connects(port: number): Promise<number[]> {
  const times: number[] = [];
  const buffer = new Uint8Array(1024);
  for (let i = 0; i < CONNECTS; i++) {
    const start = performance.now();
    using connection = await open(port);
    await exchange(connection, buffer);
    if (i >= CONNECTS / 3) times.push(performance.now() - start); // the first ones warm up
  }
  return times.sort((a, b) => a - b);
}

interface Figures {
  readonly rates: Map<number, number>;
  readonly slowest: number;
  readonly up: number;
  readonly down: number;
  readonly connectMs: number;
}

async function measure(name: string, port: number): Promise<Figures> {
  const rates = new Map<number, number>();
  let slowest = 0;
  for (const connections of [1, 16, 64]) {
    const { rate, times } = await requests(port, connections);
    rates.set(connections, rate);
    slowest = Math.max(slowest, connections === 1 ? at(times, 0.999) : 0);
    const p = (part: number) => at(times, part).toFixed(3);
    console.log(
      `${name}, ${connections} connections: ${rate.toFixed(0)} requests/s, p50 ${p(0.5)}, p99 ${p(0.99)} ms`,
    );
  }
  const [up, down] = [await upload(port), await download(port)];
  console.log(`${name}, one stream: up ${up.toFixed(0)} MB/s, down ${down.toFixed(0)} MB/s`);
  const times = await connects(port);
  console.log(
    `${name}, connect and first byte: p50 ${at(times, 0.5).toFixed(3)}, p99 ${at(times, 0.99).toFixed(3)} ms`,
  );
  return { rates, slowest, up, down, connectMs: at(times, 0.5) };
}

async function rssKiB(pid: number): Promise<number> {
  return Number(/VmRSS:\s+(\d+)/.exec(await Deno.readTextFile(`/proc/${pid}/status`))![1]);
}

async function idleTunnels(broker: CommandProcess, url: string, service: number): Promise<void> {
  const identity = await tunnelIdentity(await generateTunnelKey());
  const urls = { http: new URL(`${url}/`), webSocket: new URL(`${url.replace("http", "ws")}/`) };
  const access = { ...anyAccess(), transport: "websocket" as const };
  const openOne = async (name: string) => {
    const options = { broker: urls, token: null, agent: "bench", access, logger: silent };
    const session = await connectTunnels(options, AbortSignal.timeout(20_000));
    const client = new TunnelClient(session, {
      identity: await tunnelIdentity(await generateTunnelKey()),
      instance: new Uint8Array(16),
    });
    const request = {
      kind: "tcp" as const,
      name,
      audience: urls.http.host,
      basicAuth: [],
      allowCidrs: [],
      port: 0,
      hostHeader: "",
    };
    await client.open(request, serviceDialer("127.0.0.1", service), AbortSignal.timeout(20_000));
    return session;
  };
  await openOne(`warm${identity.id.slice(0, 4)}`);
  const before = await rssKiB(broker.pid);
  for (let i = 0; i < IDLE_TUNNELS; i += 50) {
    await Promise.all(Array.from({ length: 50 }, (_, j) => openOne(`idle${i + j}`)));
  }
  await new Promise((resolve) => setTimeout(resolve, 4_000)); // a heartbeat each
  const perTunnel = (await rssKiB(broker.pid) - before) / IDLE_TUNNELS;
  hold(
    `KiB of the broker for each of ${IDLE_TUNNELS} idle tunnels (< ${TARGET_IDLE_KIB})`,
    perTunnel,
    perTunnel < TARGET_IDLE_KIB,
  );
}

async function main(): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const service = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", new URL("../support/stream_service.ts", import.meta.url).pathname],
    stdout: "piped",
  }).spawn();
  stack.defer(async () => {
    service.kill();
    await service.status;
  });
  const reader = service.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const servicePort = Number((await reader.read()).value);
  const direct = await measure("direct", servicePort);
  const ssh = await throughSsh(stack, servicePort);
  const { first, last } = await freePorts();
  const broker = stack.use(
    new CommandProcess([
      "broker",
      "--http",
      "localhost:0",
      "--quic",
      "off",
      "--tcp-ports",
      `${first}-${last}`,
    ]),
  );
  const [, url = ""] = await broker.said(/ready at (http:\S+)/);
  const home = await Deno.makeTempDir();
  stack.defer(() => Deno.remove(home, { recursive: true }));
  const env = { XDG_CONFIG_HOME: home, XDG_STATE_HOME: "/dev/null" };
  const args = [
    "tunnel",
    "tcp",
    String(servicePort),
    "--transport",
    "websocket",
    "--port",
    String(first),
    "--url",
    url,
  ];
  const tunnel = stack.use(new CommandProcess(args, { env }));
  await tunnel.said(/is open/);
  const ours = await measure("tunnel", first);
  for (const [connections, rate] of ours.rates) {
    const ratio = rate / (ssh?.rates.get(connections) ?? NaN);
    if (ssh) {
      hold(
        `requests at ${connections} connections / ssh -R (>= ${TARGET_REQUESTS})`,
        ratio,
        ratio >= TARGET_REQUESTS,
      );
    }
  }
  if (ssh) {
    hold(`stream up / ssh -R (>= ${TARGET_STREAM})`, ours.up / ssh.up, ours.up >= TARGET_STREAM * ssh.up);
    hold(
      `stream down / ssh -R (>= ${TARGET_STREAM})`,
      ours.down / ssh.down,
      ours.down >= TARGET_STREAM * ssh.down,
    );
  }
  hold(
    `connect and first byte, ms (< ${TARGET_CONNECT_MS}; direct ${direct.connectMs.toFixed(2)})`,
    ours.connectMs,
    ours.connectMs < TARGET_CONNECT_MS,
  );
  hold(`slowest of 1,000 requests, ms (no stall of ${STALL_MS})`, ours.slowest, ours.slowest < STALL_MS);
  await idleTunnels(broker, url, servicePort);
}

/** null, with a line that says so, where ssh is missing. */
async function throughSsh(stack: AsyncDisposableStack, service: number): Promise<Figures | null> {
  let sshd: SshServer;
  try {
    sshd = stack.use(await SshServer.start());
  } catch (error) {
    console.log(`no ssh -R to compare with: ${(error as Error).message}`);
    return null;
  }
  const { first: port } = await freePorts(1);
  const user = Deno.env.get("USER") ?? "root";
  const forward = `127.0.0.1:${port}:127.0.0.1:${service}`;
  const args = [...sshd.clientArgs, "-N", "-p", String(sshd.port), "-R", forward, `${user}@127.0.0.1`];
  const ssh = new Deno.Command("ssh", { args, stdin: "null" }).spawn();
  stack.defer(async () => {
    ssh.kill();
    await ssh.status;
  });
  for (let tries = 0; tries < 200; tries++) {
    const connection = await open(port).catch(() => null);
    connection?.close();
    if (connection !== null) break;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  return await measure("ssh -R", port);
}

await main();
if (misses.length > 0) {
  console.error(`missed: ${misses.join("; ")}`);
  Deno.exit(1);
}
Deno.exit(0);
