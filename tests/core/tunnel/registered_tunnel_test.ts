import { deepEqual, equal, rejects } from "node:assert/strict";
import { WasimoffError } from "../../../core/errors.ts";
import { MAX_TUNNEL_STREAMS, MAX_TUNNEL_STREAMS_PER_VISITOR } from "../../../core/protocol/limits.ts";
import { RegisteredTunnel } from "../../../core/tunnel/registered_tunnel.ts";
import { FakeTunnelLink, quietDuplex, tunnelSpec } from "../../support/tunnel_link.ts";

const VISITOR = { address: "192.0.2.1", port: 7 };
const NEVER = new AbortController().signal;

function fixture(groupOf: (address: string) => string | null = (address) => address) {
  const link = new FakeTunnelLink();
  return { link, tunnel: new RegisteredTunnel("1", tunnelSpec(), link, groupOf) };
}

Deno.test("RegisteredTunnel.open() counts streams and bytes until both directions have ended", async () => {
  const { link, tunnel } = fixture();
  const chunks = [Uint8Array.of(1, 2, 3), null];
  const { writable } = quietDuplex();
  const readable = { read: () => Promise.resolve(chunks.shift() ?? null), cancel: () => {} };
  link.streams.push({ duplex: { readable, writable }, reached: Promise.resolve() });
  const duplex = await tunnel.open(VISITOR, NEVER);
  deepEqual(link.visitors, [VISITOR]);
  duplex.writable.write(Uint8Array.of(1, 2));
  await duplex.readable.read();
  equal(await duplex.readable.read(), null);
  equal(tunnel.counters.activeStreams, 1);
  duplex.writable.end();
  duplex.writable.abort(new WasimoffError("canceled", "late"));
  deepEqual(tunnel.counters, { streams: 1, activeStreams: 0, requests: 0, bytesIn: 2, bytesOut: 3 });
});

Deno.test("RegisteredTunnel.open() rejects when the service was not reached, and counts it no longer", async () => {
  const { link, tunnel } = fixture();
  const reached = Promise.reject(new WasimoffError("unavailable", "nothing listens there"));
  reached.catch(() => {});
  link.streams.push({ duplex: quietDuplex(), reached });
  await rejects(tunnel.open(VISITOR, NEVER), { code: "unavailable" });
  deepEqual([tunnel.counters.streams, tunnel.counters.activeStreams], [1, 0]);
});

Deno.test("RegisteredTunnel.open() rejects after the end of the tunnel, with its cause", async () => {
  const { link, tunnel } = fixture();
  const cause = new WasimoffError("unavailable", "client is gone");
  tunnel.close(cause);
  await rejects(tunnel.open(VISITOR, NEVER), cause);
  deepEqual([link.visitors, tunnel.counters.streams], [[], 0]);
});

Deno.test("one visitor has a bounded number of streams, and others still come in", async () => {
  const { tunnel } = fixture();
  const first = await tunnel.open(VISITOR, NEVER);
  for (let i = 1; i < MAX_TUNNEL_STREAMS_PER_VISITOR; i++) await tunnel.open(VISITOR, NEVER);
  await rejects(tunnel.open(VISITOR, NEVER), { code: "resource_exhausted" });
  await tunnel.open({ address: "192.0.2.2", port: 1 }, NEVER);
  first.readable.cancel(new WasimoffError("canceled", "done"));
  first.writable.end();
  await tunnel.open(VISITOR, NEVER);
});

Deno.test("a tunnel has a bounded number of streams", async () => {
  const { tunnel } = fixture(() => null);
  for (let i = 0; i < MAX_TUNNEL_STREAMS; i++) await tunnel.open(VISITOR, NEVER);
  await rejects(tunnel.open(VISITOR, NEVER), { code: "resource_exhausted" });
  equal(tunnel.counters.activeStreams, MAX_TUNNEL_STREAMS);
});
