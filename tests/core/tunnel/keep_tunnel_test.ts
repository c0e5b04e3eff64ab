import { deepEqual, rejects } from "node:assert/strict";
import { serveTunnels } from "../../../core/broker/endpoint_v2_tunnel.ts";
import { WasimoffError } from "../../../core/errors.ts";
import { silent } from "../../../core/log.ts";
import { keepTunnel } from "../../../core/tunnel/keep_tunnel.ts";
import { generateTunnelKey, tunnelIdentity } from "../../../core/tunnel/tunnel_key.ts";
import { TunnelNames, UNSAVED_TUNNEL_NAMES } from "../../../core/tunnel/tunnel_names.ts";
import { TunnelRegistry } from "../../../core/tunnel/tunnel_registry.ts";
import { fakeClock, SessionPair } from "../../support/session_pair.ts";

/** Between attempts to come back. */
const LONGEST_WAIT_MS = 10_000;
const DOWN = new WasimoffError("unavailable", "cannot reach the broker");

/** A keeper at a broker; attempts to dial fail as `failures` says, a null lets one through. */
async function fixture(failures: (WasimoffError | null)[] = []) {
  const registry = new TunnelRegistry({
    names: await TunnelNames.open(UNSAVED_TUNNEL_NAMES),
    groupOf: () => null,
  });
  const faces = { httpUrl: () => "", checkPort: () => {}, openPort: () => Promise.resolve(0) };
  const pairs: SessionPair[] = [];
  const events: string[] = [];
  let changed = Promise.withResolvers<void>();
  const note = (event: string) => {
    events.push(event);
    changed.resolve();
    changed = Promise.withResolvers();
  };
  const stop = new AbortController();
  const done = keepTunnel({
    openSession: () => {
      const failure = failures.shift() ?? null;
      if (failure !== null) return Promise.reject(failure);
      const pair = new SessionPair();
      pairs.push(pair);
      serveTunnels(pair.acceptor, { host: "b", address: "", token: "" }, {
        registry,
        faces,
        ownHosts: null,
        logger: silent,
      });
      return Promise.resolve(pair.dialer);
    },
    client: { identity: await tunnelIdentity(await generateTunnelKey()), instance: new Uint8Array(16) },
    request: {
      kind: "tcp",
      name: "db",
      audience: "b",
      basicAuth: [],
      allowCidrs: [],
      port: 0,
      hostHeader: "",
    },
    reach: () => Promise.reject(DOWN),
    opened: ({ name }) => note(`opened ${name}`),
    lost: ({ code }) => note(`lost ${code}`),
    signal: stop.signal,
  });
  done.catch(() => {}); // tests look at it later
  const has = async (count: number) => {
    while (events.length < count) await changed.promise;
  };
  const close = () => pairs.forEach((pair) => pair[Symbol.dispose]());
  return { registry, pairs, events, has, stop, done, [Symbol.dispose]: close };
}

Deno.test("keepTunnel() opens a lost tunnel again, and ends with its signal", async () => {
  using clock = fakeClock();
  using kept = await fixture();
  await kept.has(1);
  kept.pairs[0]!.acceptor.close(DOWN);
  await clock.tick(0);
  await kept.has(2);
  await clock.tick(LONGEST_WAIT_MS);
  await kept.has(3);
  kept.stop.abort();
  await kept.done;
  deepEqual(kept.events, ["opened db", "lost unavailable", "opened db"]);
});

Deno.test("keepTunnel() rejects when another session has taken the tunnel over", async () => {
  using kept = await fixture();
  await kept.has(1);
  const tunnel = kept.registry.find("db");
  if (tunnel === null || tunnel === "gone") throw new Error("the tunnel is not there");
  tunnel.link.tunnelClosed(tunnel.id, new WasimoffError("aborted", "tunnel goes on elsewhere"));
  await rejects(kept.done, { code: "aborted", message: "tunnel goes on elsewhere" });
  deepEqual(kept.events, ["opened db"]);
});

Deno.test("keepTunnel() rejects when the first attempt fails", async () => {
  using kept = await fixture([DOWN]);
  await rejects(kept.done, DOWN);
  deepEqual(kept.events, []);
});

Deno.test("keepTunnel() waits for a broker that is away, and rejects when it refuses for good", async () => {
  using clock = fakeClock();
  using kept = await fixture([null, DOWN, new WasimoffError("unauthenticated", "token is not known")]);
  await kept.has(1);
  kept.pairs[0]!.acceptor.close(DOWN);
  for (let lost = 0; lost < 3; lost++) await clock.tick(LONGEST_WAIT_MS);
  await rejects(kept.done, { code: "unauthenticated" });
  deepEqual(kept.events, ["opened db", "lost unavailable", "lost unavailable"]);
});
