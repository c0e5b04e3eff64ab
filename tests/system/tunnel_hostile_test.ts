/** Tunnel clients and visitors that break the rules of registration and of streams. */

import { equal, match, rejects } from "node:assert/strict";
import { startHash } from "../../core/host/hash.ts";
import { Tokens } from "../../core/broker/identity/tokens.ts";
import { WasimoffError } from "../../core/errors.ts";
import { OpenTunnel_Kind as Kind } from "../../core/protocol/gen/wasimoff/v2/wasimoff_pb.ts";
import { MAX_TUNNEL_FAILURES, MAX_TUNNELS_PER_SESSION } from "../../core/protocol/limits.ts";
import { Messenger, type MethodInit } from "../../core/protocol/messenger.ts";
import type { Session } from "../../core/session/session.ts";
import { registrationBytes } from "../../core/tunnel/registration.ts";
import type { TunnelIdentity } from "../../core/tunnel/tunnel_key.ts";
import { waitUntil } from "../support/open_server.ts";
import { testIdentity, TunnelCluster } from "../support/tunnel_cluster.ts";

type OpenTunnelInit = Extract<MethodInit, { case: "openTunnel" }>["value"];

class RawTunnelClient implements Disposable {
  readonly messenger: Messenger;

  constructor(readonly session: Session, readonly identity: TunnelIdentity) {
    this.messenger = new Messenger(session, {
      request: () => Promise.reject(new WasimoffError("unavailable", "not now")),
      event: () => {},
    });
  }

  async nonce(): Promise<Uint8Array> {
    const answer = await this.messenger.request({ case: "getTunnelNonce", value: {} });
    return answer.case === "tunnelNonce" ? answer.value.nonce : new Uint8Array();
  }

  /** A registration that is right but for what is changed before, and after, it is signed. */
  async open(before: OpenTunnelInit = {}, after: OpenTunnelInit = {}) {
    const fields = {
      kind: Kind.TCP,
      name: "",
      audience: "127.0.0.1",
      instance: new Uint8Array(16),
      key: this.identity.publicKey,
      ...before,
      nonce: before.nonce ?? await this.nonce(),
    };
    const signature = await this.identity.sign(registrationBytes(fields));
    const answer = await this.messenger.request({
      case: "openTunnel",
      value: { ...fields, signature, ...after },
    });
    return answer.case === "tunnelOpened" ? answer.value : null;
  }

  [Symbol.dispose](): void {
    this.session.close(new WasimoffError("canceled", "test is over"));
  }
}

async function raw(cluster: TunnelCluster, token: string | null = null): Promise<RawTunnelClient> {
  return new RawTunnelClient(await cluster.session({ token }), await testIdentity());
}

Deno.test("a registration is refused when anything that is signed was changed, or was signed for another", async () => {
  await using cluster = await TunnelCluster.start();
  using client = await raw(cluster);
  const other = await testIdentity();
  const denied = { code: "permission_denied" };
  await rejects(client.open({}, { name: "db" }), denied);
  await rejects(client.open({}, { instance: new Uint8Array(17) }), denied);
  await rejects(client.open({}, { key: other.publicKey }), denied);
  await rejects(client.open({}, { kind: Kind.HTTP }), denied);
  await rejects(client.open({}, { signature: new Uint8Array(64) }), denied);
  await rejects(client.open({ audience: "broker.example" }), denied);
  equal(cluster.host.tunnels.registry.size, 0);
  match((await client.open())!.name, /^[a-z2-7]{52}$/);
});

Deno.test("a broker that knows its URLs takes registrations for itself only, and those of its own machine", async () => {
  await using cluster = await TunnelCluster.start({ publicUrls: ["https://broker.example.org"] });
  using client = await raw(cluster);
  match((await client.open())!.name, /^[a-z2-7]{52}$/);
  await rejects(client.open({ audience: "broker.example.org" }), { code: "permission_denied" });
});

Deno.test("a nonce is good once, and in its own session only", async () => {
  await using cluster = await TunnelCluster.start();
  using client = await raw(cluster);
  using other = await raw(cluster);
  const nonce = await client.nonce();
  await client.open({ nonce });
  await rejects(client.open({ nonce }), { code: "permission_denied", message: /nonce/ });
  await rejects(other.open({ nonce: await client.nonce() }), { code: "permission_denied", message: /nonce/ });
  await rejects(other.open({ nonce: new Uint8Array() }), { code: "permission_denied", message: /nonce/ });
});

Deno.test("a registration with fields that no honest client sends is refused", async () => {
  await using cluster = await TunnelCluster.start();
  using client = await raw(cluster);
  const p384 = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-384" }, true, ["sign"]);
  const wrongCurve = new Uint8Array(await crypto.subtle.exportKey("raw", p384.publicKey));
  const bad: OpenTunnelInit[] = [
    { key: wrongCurve },
    { key: new Uint8Array(65).fill(4) },
    { key: new Uint8Array(0) },
    { kind: 0 },
    { kind: 9 as Kind },
    { name: "UPPER" },
    { name: "a.b" },
    { name: "-a" },
    { name: "www" },
    { name: "a".repeat(64) },
    { name: (await testIdentity()).id },
    { allowCidrs: ["everybody"] },
    { basicAuth: [new Uint8Array(32)] },
  ];
  for (const fields of bad) {
    await rejects(client.open(fields), { code: "invalid_argument" }, JSON.stringify(fields));
  }
  equal(cluster.host.tunnels.registry.size, 0);
});

Deno.test("a session that registers in vain again and again is ended, and its neighbour is not", async () => {
  await using cluster = await TunnelCluster.start();
  using client = await raw(cluster);
  using neighbour = await raw(cluster);
  for (let i = 1; i < MAX_TUNNEL_FAILURES; i++) {
    await rejects(client.open({ audience: "elsewhere" }), { code: "permission_denied" });
    equal(client.session.signal.aborted, false);
  }
  await rejects(client.open({ audience: "elsewhere" }));
  await waitUntil(() => client.session.signal.aborted);
  equal(client.session.signal.aborted, true);
  match((await neighbour.open())!.name, /^[a-z2-7]{52}$/);
});

Deno.test("a session has a bounded number of tunnels", async () => {
  await using cluster = await TunnelCluster.start({ tcpPorts: null });
  using client = await raw(cluster);
  await client.open();
  for (let i = 1; i < MAX_TUNNELS_PER_SESSION; i++) await client.open({ name: `t${i}` });
  await rejects(client.open({ name: "more" }), { code: "resource_exhausted" });
  equal((await client.open({ name: "t1" }))!.name, "t1"); // again: it takes over from itself
  equal(cluster.host.tunnels.registry.size, MAX_TUNNELS_PER_SESSION);
});

Deno.test("a name that was taken with a token is not had with another, nor without", async () => {
  const tokens = new Tokens(["one", "two"], startHash);
  await using cluster = await TunnelCluster.start({ tokens });
  const identity = await testIdentity();
  const as = async (token: string | null) => new RawTunnelClient(await cluster.session({ token }), identity);
  using one = await as("one");
  using two = await as("two");
  using none = await as(null);
  equal((await one.open({ name: "db" }))!.name, "db");
  await rejects(two.open({ name: "db" }), { code: "permission_denied", message: /somebody else/ });
  await rejects(none.open({ name: "db" }), { code: "permission_denied", message: /somebody else/ });
  await rejects(cluster.session({ token: "three" }), { code: "unauthenticated" });
});

Deno.test("ports are given from the range only, and to one tunnel each", async () => {
  await using cluster = await TunnelCluster.start();
  using client = await raw(cluster);
  using other = await raw(cluster);
  const { port } = (await client.open())!;
  equal((await client.open({ port }))!.port, port);
  await rejects(other.open({ port }), { code: "already_exists" });
  await rejects(other.open({ port: 80 }), { code: "failed_precondition" });
  await rejects(other.open({ port: 70_000 }), { code: "invalid_argument" });
  await rejects(other.open({ kind: Kind.HTTP, port }), { code: "invalid_argument" });
});

Deno.test("a visitor that names streams that are not its own is answered with an error", async () => {
  await using cluster = await TunnelCluster.start();
  using client = await raw(cluster);
  const connect = (upstream: number, downstream: number) =>
    client.messenger.request({ case: "connectTunnel", value: { name: "x", upstream, downstream } });
  for (const [up, down] of [[0, 0], [1, 3], [2, 2], [2, 3], [0, 2]] as const) {
    await rejects(connect(up, down), { code: "invalid_argument" }, `${up}, ${down}`);
  }
  await rejects(connect(2, 4), { code: "not_found" });
  await rejects(client.messenger.request({ case: "announce", value: {} }), { code: "unimplemented" });
});
