/**
 * Matches of the rendezvous: waiting proxies and clients over kept connections, beside a bare node:http server that
 * answers the same three requests with a constant. Then thousands of idle polls. The servers are processes of their
 * own; ends with status 1 when a target is missed.
 */

// deno-lint-ignore-file no-console -- prints what it measures
import { KeepAliveHttp } from "../support/keep_alive_http.ts";
import { memoryOf } from "../support/child_processes.ts";

const PROXIES = 64;
const CLIENTS = 16;
const RUN_MS = 4_000;
const WARM_UP_MS = 1_500;
const IDLE_POLLS = 10_000;
/** While they wait; the polls of a real proxy last 10 s. */
const IDLE_MS = 5_000;

const MIN_MATCHES_PER_S = 12_000;
const MAX_P99_MS = 10;
const MAX_IDLE_KIB = 16;
const MAX_IDLE_CPU = 0.02;

const OFFER = JSON.stringify({
  type: "offer",
  sdp: `v=0\r\n${"a=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n".repeat(20)}`,
});
const CLIENT = `1.0\n${JSON.stringify({ offer: OFFER, nat: "unknown" })}`;
const ANSWER = JSON.stringify({ type: "answer", sdp: OFFER });

interface Server extends AsyncDisposable {
  readonly pid: number;
  readonly port: number;
}

async function startServer(kind: string): Promise<Server> {
  const script = new URL("../support/rendezvous_process.ts", import.meta.url).pathname;
  const child = new Deno.Command(Deno.execPath(), { args: ["run", "-A", script, kind], stdout: "piped" })
    .spawn();
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  const port = Number(new TextDecoder().decode(value));
  return {
    ...{ pid: child.pid, port },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.status;
      await reader.cancel();
    },
  };
}

const connect = (count: number, port: number) =>
  Promise.all(Array.from({ length: count }, () => KeepAliveHttp.connect("127.0.0.1", port)));

/** Each proxy polls and answers, each client asks, until the time is over; resolves with the clients' waits in ms. */
async function matches(port: number): Promise<number[]> {
  const waits: number[] = [];
  let running = true;
  const proxies = (await connect(PROXIES, port)).map(async (http, i) => {
    const sid = `sid-of-proxy-${i}`;
    const poll = JSON.stringify({
      ...{
        Sid: sid,
        Version: "1.3",
        Type: "standalone",
        NAT: "unrestricted",
        Clients: 0,
        AcceptedRelayPattern: "",
      },
    });
    const answer = JSON.stringify({ Version: "1.3", Sid: sid, Answer: ANSWER });
    while (running) {
      if ((await http.post("/proxy", poll)).includes("client match")) await http.post("/answer", answer);
    }
    http[Symbol.dispose]();
  });
  const sockets = await connect(CLIENTS, port);
  const measureFrom = performance.now() + WARM_UP_MS;
  await Promise.all(sockets.map(async (http) => {
    while (performance.now() < measureFrom + RUN_MS) {
      const startedMs = performance.now();
      const text = await http.post("/client", CLIENT);
      if (!text.startsWith('{"answer"')) continue; // all proxies are on their way back
      const endedMs = performance.now();
      if (startedMs > measureFrom) waits.push(endedMs - startedMs);
    }
    http[Symbol.dispose]();
  }));
  running = false;
  await Promise.all(proxies); // polls that still wait end by themselves
  return waits.sort((a, b) => a - b);
}

/** Requests per second of the same number of connections at the bare server. */
async function floorRate(port: number): Promise<number> {
  let requests = 0;
  const from = performance.now() + WARM_UP_MS;
  await Promise.all((await connect(CLIENTS, port)).map(async (http) => {
    while (performance.now() < from + RUN_MS) {
      await http.post("/client", CLIENT);
      if (performance.now() > from) requests++;
    }
    http[Symbol.dispose]();
  }));
  return requests / RUN_MS * 1_000;
}

function cpuSeconds(pid: number): number {
  const fields = Deno.readTextFileSync(`/proc/${pid}/stat`).split(") ")[1]!.split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Memory of one idle poll in KiB, and the share of a core that all of them cost. */
async function idle({ port, pid }: Server): Promise<{ kib: number; cpu: number }> {
  const before = memoryOf(pid).rss;
  const sockets = await connect(IDLE_POLLS, port);
  const polls = sockets.map((http, i) =>
    http.post(
      "/proxy",
      JSON.stringify({ Sid: `idle-${i}`, Version: "1.3", NAT: "restricted", AcceptedRelayPattern: "" }),
    )
  );
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  const kib = (memoryOf(pid).rss - before) / 1024 / IDLE_POLLS;
  const start = cpuSeconds(pid);
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
  const cpu = (cpuSeconds(pid) - start) / (IDLE_MS / 1_000);
  await Promise.all(polls);
  for (const http of sockets) http[Symbol.dispose]();
  return { kib, cpu };
}

let missed = false;
function report(what: string, value: string, target: string, ok: boolean): void {
  missed ||= !ok;
  console.log(`${what.padEnd(46)} ${value.padStart(14)}   target ${target}${ok ? "" : "   MISSED"}`);
}

let bare: number;
{
  await using floor = await startServer("floor");
  bare = await floorRate(floor.port) / 3;
}
{
  await using server = await startServer("rendezvous");
  const waits = await matches(server.port);
  const rate = waits.length / RUN_MS * 1_000;
  const p99 = waits[Math.floor(waits.length * 0.99)]!;
  console.log(`floor: a third of the requests that bare node:http answers: ${bare.toFixed(0)}/s`);
  report(
    `matches/s, ${PROXIES} proxies and ${CLIENTS} clients`,
    `${rate.toFixed(0)}/s`,
    `${MIN_MATCHES_PER_S}`,
    rate >= MIN_MATCHES_PER_S,
  );
  console.log(`ratio to the floor: ${(rate / bare).toFixed(2)}`);
  report("client's wait, p99", `${p99.toFixed(1)} ms`, `${MAX_P99_MS} ms`, p99 <= MAX_P99_MS);
}
{
  await using server = await startServer("rendezvous");
  const { kib, cpu } = await idle(server);
  report(
    `memory of an idle poll (${IDLE_POLLS})`,
    `${kib.toFixed(1)} KiB`,
    `${MAX_IDLE_KIB} KiB`,
    kib <= MAX_IDLE_KIB,
  );
  report("CPU of all of them", `${(cpu * 100).toFixed(1)} %`, `${MAX_IDLE_CPU * 100} %`, cpu <= MAX_IDLE_CPU);
}
Deno.exit(missed ? 1 : 0);
