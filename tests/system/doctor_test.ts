/** What `wasimoff doctor` finds out about brokers that work, and about those that do not. */

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { Tokens } from "../../core/broker/identity/tokens.ts";
import { startHash } from "../../core/host/hash.ts";
import type { Finding } from "../../core/host/doctor/diagnosis.ts";
import { runCommand } from "../support/command_run.ts";
import { startEncrypted } from "../support/encrypted_cluster.ts";
import { HostCluster } from "../support/host_cluster.ts";
import { ScriptedBroker } from "../support/scripted_broker_v1.ts";
import { UdpProxy } from "../support/udp_proxy.ts";

interface Report {
  readonly schema: number;
  readonly works: readonly string[];
  readonly usable: boolean;
  readonly checks: readonly Finding[];
}

const ALL = ["dns", "tcp", "http", "clock", "token", "websocket", "config"];
const QUIC = ["certificate", "udp", "quic", "webtransport"];

async function examine(url: string, flags: readonly string[] = [], env: Record<string, string> = {}) {
  const begunMs = performance.now();
  const { code, stdout, stderr } = await runCommand(["doctor", "--json", "--url", url, ...flags], { env });
  strictEqual(stderr, "");
  const report: Report = JSON.parse(stdout);
  const found = Object.fromEntries(report.checks.map((check) => [check.name, check]));
  const statuses = Object.fromEntries(report.checks.map(({ name, status }) => [name, status]));
  return { code, report, found, statuses, tookMs: performance.now() - begunMs };
}

const every = (names: readonly string[], status: string) =>
  Object.fromEntries(names.map((name) => [name, status]));

Deno.test("doctor finds nothing wrong with a good broker, and leaves nothing there", async () => {
  await using cluster = await startEncrypted();
  const { code, report, statuses, found } = await examine(`http://127.0.0.1:${cluster.port}`);
  deepStrictEqual(statuses, every([...ALL, ...QUIC], "ok"));
  deepStrictEqual([code, report.schema, report.works, report.usable], [
    0,
    1,
    ["websocket", "webtransport"],
    true,
  ]);
  match(found["certificate"]!.detail, /^ephemeral, until 20\d\d-.*Z, taken by its SHA-256 [0-9a-f]{64}$/);
  match(found["http"]!.detail, /^wasimoff test test answers in /);
  strictEqual(cluster.host.sessions, 0);
});

Deno.test("doctor prints a line for each check, and what to do", async () => {
  await using cluster = await HostCluster.start();
  const { code, stdout } = await runCommand(["doctor", "--url", `http://127.0.0.1:${cluster.port}`]);
  const lines = stdout.trimEnd().split("\n");
  deepStrictEqual([code, lines.length], [0, ALL.length + QUIC.length]);
  match(lines[1]!, /^ok {7}tcp {11}port \d+ answers in /);
  strictEqual(
    lines[6],
    "warn     config        the broker offers no WebTransport here: start the broker with --quic :4443",
  );
  strictEqual(lines[7], "skipped  certificate   needs config");
});

Deno.test("doctor says that nothing listens", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const { code, statuses, found, report } = await examine(`http://127.0.0.1:${port}`);
  deepStrictEqual(statuses, {
    ...every([...ALL, ...QUIC], "skipped"),
    dns: "ok",
    tcp: "fail",
  });
  deepStrictEqual([code, report.usable, found["tcp"]!.advice], [
    1,
    false,
    'start a broker there with "wasimoff broker"',
  ]);
  const unknown = await examine("http://nowhere.invalid:4080");
  deepStrictEqual([unknown.code, unknown.statuses["dns"], unknown.statuses["tcp"]], [1, "fail", "skipped"]);
});

Deno.test("doctor tells a token that the broker does not know from one that is missing", async () => {
  const tokens = Tokens.parse("right\n", startHash);
  await using cluster = await startEncrypted({}, { tokens });
  const url = `http://127.0.0.1:${cluster.port}`;
  const wrong = await examine(url, [], { WASIMOFF_TOKEN: "wrong" });
  deepStrictEqual([wrong.code, wrong.statuses], [1, {
    ...every([...ALL, ...QUIC], "ok"),
    token: "fail",
    websocket: "fail",
    webtransport: "fail",
  }]);
  strictEqual(wrong.found["token"]!.detail, "the broker does not know this token");
  const right = await examine(url, [], { WASIMOFF_TOKEN: "right" });
  deepStrictEqual([right.code, right.found["token"]!.detail], [0, "accepted"]);
});

Deno.test("doctor finds out that UDP is swallowed, in time, and that WebSocket works all the same", async () => {
  await using relay = new UdpProxy();
  await using cluster = await startEncrypted({ transportUrl: `https://127.0.0.1:${relay.port}/transport` });
  const url = `http://127.0.0.1:${cluster.port}`;
  const both = await examine(url);
  deepStrictEqual([both.code, both.statuses], [0, {
    ...every(ALL, "ok"),
    ...{ certificate: "ok", udp: "fail", quic: "skipped", webtransport: "skipped" },
  }]);
  match(both.found["udp"]!.advice ?? "", /^let UDP port \d+ through firewalls/);
  ok(both.tookMs < 15_000, `${both.tookMs} ms`);
  const only = await examine(url, ["--transport", "webtransport"]);
  deepStrictEqual([only.code, only.report.works, only.report.usable], [1, ["websocket"], false]);
});

Deno.test("doctor says which certificate the broker has when --cert-hash names another", async () => {
  await using cluster = await startEncrypted();
  const { code, statuses, found } = await examine(`http://127.0.0.1:${cluster.port}`, [
    "--cert-hash",
    "00".repeat(32),
  ]);
  deepStrictEqual([code, statuses], [0, {
    ...every(ALL, "ok"),
    ...{ certificate: "fail", udp: "ok", quic: "fail", webtransport: "skipped" },
  }]);
  match(found["certificate"]!.detail, /SHA-256 [0-9a-f]{64}, which --cert-hash does not name$/);
});

Deno.test("doctor examines the certificate of a broker over HTTPS", async () => {
  await using cluster = await startEncrypted({ https: true });
  const url = `https://localhost:${cluster.port}`;
  const untrusted = await examine(url);
  deepStrictEqual([untrusted.code, untrusted.statuses["tls"], untrusted.statuses["http"]], [
    1,
    "fail",
    "skipped",
  ]);
  const [, hash] = /SHA-256 ([0-9a-f]{64})/.exec(untrusted.found["tls"]!.detail)!;
  const pinned = await examine(url, ["--cert-hash", hash!]);
  deepStrictEqual([pinned.code, pinned.statuses], [0, every([...ALL, "tls", ...QUIC], "ok")]);
  match(pinned.found["tls"]!.detail, /^for localhost, .*; until .*; SHA-256 .*; as --cert-hash says$/);
});

Deno.test("doctor knows an existing broker, which has neither wasimoff_v2 nor WebTransport", async () => {
  await using broker = await ScriptedBroker.start();
  const { code, found, report } = await examine(`http://127.0.0.1:${broker.port}`);
  deepStrictEqual([code, report.works], [0, ["websocket"]]);
  match(found["websocket"]!.detail, /^an existing broker: wasimoff_v1 \(binary\)/);
  strictEqual(found["config"]!.status, "warn");
});

Deno.test("doctor says that HTTP and HTTPS were mixed up", async () => {
  await using plain = await HostCluster.start();
  const { found: tls } = await examine(`https://127.0.0.1:${plain.port}`);
  strictEqual(
    tls["tls"]!.advice,
    `check whether it speaks plain HTTP: give --url http://127.0.0.1:${plain.port}`,
  );
  await using encrypted = await startEncrypted({ https: true });
  const { found } = await examine(`http://127.0.0.1:${encrypted.port}`);
  strictEqual(
    found["http"]!.advice,
    `check whether it speaks HTTPS: give --url https://127.0.0.1:${encrypted.port}`,
  );
  strictEqual(found["config"]!.advice, null);
});
