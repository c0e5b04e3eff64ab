import { deepEqual, equal, rejects } from "node:assert/strict";
import type { ByteDuplex } from "../../../core/byte_stream.ts";
import { serveTunnels } from "../../../core/broker/endpoint_v2_tunnel.ts";
import { WasimoffError } from "../../../core/errors.ts";
import { silent } from "../../../core/log.ts";
import { TUNNEL_OPEN_TIMEOUT_MS } from "../../../core/protocol/limits.ts";
import { OwnHosts } from "../../../core/broker/identity/own_hosts.ts";
import { TunnelClient, type TunnelRequest } from "../../../core/tunnel/tunnel_client.ts";
import { generateTunnelKey, tunnelIdentity } from "../../../core/tunnel/tunnel_key.ts";
import { TunnelNames, UNSAVED_TUNNEL_NAMES } from "../../../core/tunnel/tunnel_names.ts";
import { TunnelRegistry } from "../../../core/tunnel/tunnel_registry.ts";
import { TunnelVisitor } from "../../../core/tunnel/tunnel_visitor.ts";
import { fakeClock, SessionPair } from "../../support/session_pair.ts";

const REQUEST: TunnelRequest = {
  ...{
    kind: "tcp",
    name: "db",
    audience: "broker:4080",
    basicAuth: [],
    allowCidrs: [],
    port: 0,
    hostHeader: "",
  },
};
const PEER = { host: "BROKER", address: "192.0.2.1", token: "" };
const NEVER = new AbortController().signal;
const text = (bytes: Uint8Array | null) => bytes === null ? null : new TextDecoder().decode(bytes);
const bytes = (text: string) => new TextEncoder().encode(text);

/** Sends back what comes. */
function echo(): ByteDuplex {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const [reader, writer] = [readable.getReader(), writable.getWriter()];
  writer.closed.catch(() => {});
  reader.closed.catch(() => {});
  return {
    readable: {
      read: async () => (await reader.read()).value ?? null,
      cancel: (reason) => void reader.cancel(reason).catch(() => {}),
    },
    writable: {
      write: (chunk) => writer.write(chunk),
      end: () => void writer.close(),
      abort: (reason) => void writer.abort(reason).catch(() => {}),
    },
  };
}

async function fixture(ownHosts: OwnHosts | null = null) {
  const registry = new TunnelRegistry({
    names: await TunnelNames.open(UNSAVED_TUNNEL_NAMES),
    groupOf: () => null,
  });
  const faces = {
    httpUrl: (name: string) => `https://${name}.x`,
    checkPort: () => {},
    openPort: () => Promise.resolve(7),
  };
  const serve = () => {
    const pair = new SessionPair();
    serveTunnels(pair.acceptor, PEER, { registry, faces, ownHosts, logger: silent });
    return pair;
  };
  const [ofClient, ofVisitor] = [serve(), serve()];
  const identity = await tunnelIdentity(await generateTunnelKey());
  const client = new TunnelClient(ofClient.dialer, { identity, instance: new Uint8Array(16) });
  const visitor = new TunnelVisitor(ofVisitor.dialer);
  const close = () => {
    ofClient[Symbol.dispose]();
    ofVisitor[Symbol.dispose]();
  };
  return { registry, client, visitor, ofClient, ofVisitor, [Symbol.dispose]: close };
}

Deno.test("TunnelClient.open() publishes a service that visitors reach by name", async () => {
  using parts = await fixture();
  const visitors: unknown[] = [];
  const opened = await parts.client.open(REQUEST, (visitor) => {
    visitors.push(visitor);
    return Promise.resolve(echo());
  }, NEVER);
  deepEqual([opened.name, opened.port, opened.url], ["db", 7, ""]);
  const { duplex, reached } = await parts.visitor.connect("db", NEVER);
  duplex.writable.write(bytes("early"));
  await reached;
  equal(text(await duplex.readable.read()), "early");
  duplex.writable.end();
  equal(await duplex.readable.read(), null);
  deepEqual(visitors, [{ address: "192.0.2.1", port: 0 }]);
});

Deno.test("TunnelClient.open() is refused where its host is none of the broker's, whoever relays it", async () => {
  using own = await fixture(new OwnHosts(["broker"]));
  await own.client.open(REQUEST, () => Promise.resolve(echo()), NEVER);
  using other = await fixture(new OwnHosts(["broker.example.org"]));
  await rejects(other.client.open(REQUEST, () => Promise.resolve(echo()), NEVER), {
    code: "permission_denied",
    message: /public-url/,
  });
});

Deno.test("streams of a tunnel go on over a new connection", async () => {
  using parts = await fixture();
  await parts.client.open(REQUEST, () => Promise.resolve(echo()), NEVER);
  const { duplex, reached } = await parts.visitor.connect("db", NEVER);
  await reached;
  duplex.writable.write(bytes("lost and sent again"));
  parts.ofClient.connect();
  parts.ofVisitor.connect();
  equal(text(await duplex.readable.read()), "lost and sent again");
});

Deno.test("a service that is not reached fails its visitor with the cause", async () => {
  using parts = await fixture();
  await parts.client.open(
    REQUEST,
    () => Promise.reject(new WasimoffError("unavailable", "nothing listens")),
    NEVER,
  );
  const { duplex, reached } = await parts.visitor.connect("db", NEVER);
  await rejects(reached, { code: "unavailable", message: "nothing listens" });
  await rejects(duplex.readable.read(), { code: "unavailable" });
  const tunnel = parts.registry.find("db");
  equal(tunnel === null || tunnel === "gone" ? null : tunnel.counters.activeStreams, 0);
});

Deno.test("a visitor gives up a service that does not answer, and the client is told", async () => {
  using parts = await fixture();
  const given = Promise.withResolvers<AbortSignal>();
  await parts.client.open(REQUEST, (_visitor, signal) => {
    given.resolve(signal);
    return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  }, NEVER);
  using clock = fakeClock();
  const { reached } = await parts.visitor.connect("db", NEVER);
  reached.catch(() => {});
  const signal = await given.promise;
  await clock.tick(TUNNEL_OPEN_TIMEOUT_MS);
  await rejects(reached, { code: "unavailable" });
  await clock.tick(1);
  equal(signal.aborted, true);
});

Deno.test("visitors are reset when the session of the tunnel client ends, and the other way round", async () => {
  using parts = await fixture();
  const opened = await parts.client.open(REQUEST, () => Promise.resolve(echo()), NEVER);
  const { duplex, reached } = await parts.visitor.connect("db", NEVER);
  await reached;
  parts.ofClient.dialer.close(new WasimoffError("canceled", "leaving"));
  await rejects(duplex.readable.read(), { code: "canceled" });
  equal(opened.signal.aborted, true);
  const late = await parts.visitor.connect("db", NEVER);
  await rejects(late.reached, { code: "unavailable" });
});

Deno.test("an HTTP tunnel has a URL, and is not reached as a TCP one", async () => {
  using parts = await fixture();
  const opened = await parts.client.open(
    { ...REQUEST, kind: "http", name: "web", hostHeader: "localhost", basicAuth: [new Uint8Array(32)] },
    () => Promise.resolve(echo()),
    NEVER,
  );
  deepEqual([opened.url, opened.port], ["https://web.x", 0]);
  const tunnel = parts.registry.find("web");
  if (tunnel === null || tunnel === "gone") throw new Error("the tunnel is not there");
  deepEqual([tunnel.hostHeader, [...tunnel.basicAuth]], ["localhost", ["00".repeat(32)]]);
  await rejects((await parts.visitor.connect("web", NEVER)).reached, { code: "failed_precondition" });
});
