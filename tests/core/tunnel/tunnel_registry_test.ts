import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import fc from "fast-check";
import { WasimoffError } from "../../../core/errors.ts";
import { MAX_TUNNELS, MAX_TUNNELS_PER_SESSION } from "../../../core/protocol/limits.ts";
import { TunnelNames, UNSAVED_TUNNEL_NAMES } from "../../../core/tunnel/tunnel_names.ts";
import { TunnelRegistry } from "../../../core/tunnel/tunnel_registry.ts";
import { FakeTunnelLink, tunnelSpec } from "../../support/tunnel_link.ts";

const GONE = new WasimoffError("unavailable", "peer has been away");

async function registry(): Promise<TunnelRegistry> {
  return new TunnelRegistry({ names: await TunnelNames.open(UNSAVED_TUNNEL_NAMES), groupOf: () => null });
}

Deno.test("TunnelRegistry.find() knows what is open, what is gone, and nothing else", async () => {
  const tunnels = await registry();
  const link = new FakeTunnelLink();
  const named = await tunnels.open(tunnelSpec(), { token: "", link });
  const unnamed = await tunnels.open(tunnelSpec({ name: "k1" }), { token: "", link });
  deepEqual([tunnels.find("db"), tunnels.find("k1"), tunnels.find("x")], [named, unnamed, null]);
  link.end(GONE);
  deepEqual([tunnels.find("db"), tunnels.find("k1"), tunnels.find("x")], ["gone", "gone", null]);
  deepEqual([named.signal.aborted, unnamed.signal.aborted, tunnels.size], [true, true, 0]);
});

Deno.test("the newest session of the same pair takes over at once, and the one before is told", async () => {
  const tunnels = await registry();
  const [before, after] = [new FakeTunnelLink("i1"), new FakeTunnelLink("i2")];
  const old = await tunnels.open(tunnelSpec(), { token: "", link: before });
  const fresh = await tunnels.open(tunnelSpec(), { token: "", link: after });
  equal(tunnels.find("db"), fresh);
  ok(old.signal.aborted && !fresh.signal.aborted);
  deepEqual(before.closed.map(({ tunnel, cause }) => [tunnel, cause.code]), [[old.id, "aborted"]]);
  before.end(GONE); // the end of the old session ends the old tunnel only
  equal(tunnels.find("db"), fresh);
  equal(tunnels.size, 1);
});

Deno.test("a tunnel without a name is taken over from the same process, or from one that is away", async () => {
  const tunnels = await registry();
  const spec = tunnelSpec({ name: "k1" });
  const first = new FakeTunnelLink("i1");
  await tunnels.open(spec, { token: "", link: first });
  await tunnels.open(spec, { token: "", link: new FakeTunnelLink("i1") });
  const other = new FakeTunnelLink("i2");
  await rejects(tunnels.open(spec, { token: "", link: other }), {
    code: "already_exists",
    message: /--name/,
  });
  const holder = tunnels.find("k1");
  if (holder === null || holder === "gone") throw new Error("the tunnel is not there");
  (holder.link as FakeTunnelLink).live = false;
  await tunnels.open(spec, { token: "", link: other });
  const now = tunnels.find("k1");
  equal(now === null || now === "gone" ? null : now.link, other);
});

Deno.test("a session has a bounded number of tunnels, and room again when some have ended", async () => {
  const tunnels = await registry();
  const link = new FakeTunnelLink();
  const open = (i: number) => tunnels.open(tunnelSpec({ name: `k${i}`, key: `k${i}` }), { token: "", link });
  const all = [];
  for (let i = 0; i < MAX_TUNNELS_PER_SESSION; i++) all.push(await open(i));
  await rejects(open(-1), { code: "resource_exhausted" });
  tunnels.drop(all[3]!, GONE);
  tunnels.drop(all[3]!, GONE);
  await open(-1);
  await rejects(open(-2), { code: "resource_exhausted" });
});

Deno.test("a broker has a bounded number of tunnels, and a known one still comes back", async () => {
  const tunnels = await registry();
  for (let i = 0; i < MAX_TUNNELS; i++) {
    const spec = tunnelSpec({ name: `k${i}`, key: `k${i}` });
    await tunnels.open(spec, { token: "", link: new FakeTunnelLink() });
  }
  const late = tunnelSpec({ name: "late", key: "late" });
  await rejects(tunnels.open(late, { token: "", link: new FakeTunnelLink() }), {
    code: "resource_exhausted",
  });
  await tunnels.open(tunnelSpec({ name: "k7", key: "k7" }), { token: "", link: new FakeTunnelLink() });
  equal(tunnels.size, MAX_TUNNELS);
});

Deno.test("a session that ends while its name is saved opens nothing", async () => {
  const names = await TunnelNames.open(UNSAVED_TUNNEL_NAMES);
  const tunnels = new TunnelRegistry({ names, groupOf: () => null });
  const link = new FakeTunnelLink();
  const opening = tunnels.open(tunnelSpec(), { token: "", link });
  link.end(GONE);
  await rejects(opening, { code: "unavailable" });
  equal(tunnels.size, 0);
});

Deno.test("whatever sessions open and end, a name leads to the newest session of its key, which lives", async () => {
  const step = fc.record({
    do: fc.constantFrom("open", "end"),
    link: fc.nat(3),
    key: fc.constantFrom("k1", "k2"),
    name: fc.constantFrom("", "a", "b"),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const tunnels = await registry();
      const links = [0, 1, 2, 3].map((i) => new FakeTunnelLink(`i${i}`));
      const owners = new Map<string, string>();
      const holders = new Map<string, FakeTunnelLink>();
      for (const { do: what, link: i, key, name: given } of steps) {
        const link = links[i]!;
        const name = given || key;
        if (what === "end") {
          link.end(GONE);
          for (const [name, holder] of holders) if (holder === link) holders.delete(name);
          links[i] = new FakeTunnelLink(`i${i}`);
          continue;
        }
        const owner = owners.get(name) ?? key;
        const holder = holders.get(name);
        const mayOpen = owner === key &&
          (given !== "" || holder === undefined || holder.instance === link.instance);
        const result = await tunnels.open(tunnelSpec({ name, key }), { token: "", link }).catch(() => null);
        equal(result !== null, mayOpen);
        if (mayOpen) owners.set(name, key);
        if (mayOpen) holders.set(name, link);
      }
      for (const name of ["k1", "k2", "a", "b"]) {
        const found = tunnels.find(name);
        const holder = holders.get(name);
        if (holder === undefined) equal(found, owners.has(name) ? "gone" : null);
        else equal(found === null || found === "gone" ? null : found.link, holder);
      }
      equal(tunnels.size, holders.size);
    }),
    { numRuns: 200 },
  );
});
