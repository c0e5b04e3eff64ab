import { deepEqual, doesNotThrow, equal, rejects, throws } from "node:assert/strict";
import { MAX_TUNNEL_NAMES, MAX_TUNNEL_NAMES_PER_OWNER } from "../../../core/protocol/limits.ts";
import { checkTunnelName } from "../../../core/tunnel/tunnel_name.ts";
import {
  type TunnelNameEntry,
  TunnelNames,
  UNSAVED_TUNNEL_NAMES,
} from "../../../core/tunnel/tunnel_names.ts";

const KEY = { key: "k1", token: "" };

Deno.test("checkTunnelName() takes labels of DNS that are not reserved", () => {
  for (const name of ["a", "db", "a-b", "0", "my-app-2", "app", "api", "docs", "a".repeat(63)]) {
    doesNotThrow(() => checkTunnelName(name));
  }
  const bad = [
    "",
    "-a",
    "a-",
    "A",
    "a.b",
    "a_b",
    "ä",
    "a b",
    "a".repeat(64),
    "xn--a",
    "www",
    "wpad",
    "localhost",
  ];
  for (const name of [...bad, "a".repeat(52), "a\n"]) {
    throws(() => checkTunnelName(name), { code: "invalid_argument" }, name);
  }
});

Deno.test("TunnelNames.claim() gives a name to the first, and again to nobody else", async () => {
  const names = await TunnelNames.open(UNSAVED_TUNNEL_NAMES);
  await names.claim("db", KEY);
  await names.claim("db", KEY);
  await names.claim("db", { key: "k1", token: "t1" }); // whoever came without a token is known by the key alone
  await rejects(names.claim("db", { key: "k2", token: "" }), { code: "permission_denied" });
  await names.claim("web", { key: "k1", token: "t1" });
  await names.claim("web", { key: "k1", token: "t1" });
  await rejects(names.claim("web", { key: "k1", token: "t2" }), { code: "permission_denied" });
  await rejects(names.claim("web", { key: "k1", token: "" }), { code: "permission_denied" });
  await rejects(names.claim("web", { key: "k2", token: "t1" }), { code: "permission_denied" });
  deepEqual([names.has("db"), names.has("web"), names.has("other")], [true, true, false]);
});

Deno.test("TunnelNames.claim() of two at once gives the name to one", async () => {
  const names = await TunnelNames.open({
    load: () => Promise.resolve([]),
    save: () => new Promise((resolve) => setTimeout(resolve, 1)),
  });
  const both = await Promise.allSettled([
    names.claim("db", KEY),
    names.claim("db", { key: "k2", token: "" }),
  ]);
  deepEqual(both.map(({ status }) => status), ["fulfilled", "rejected"]);
});

Deno.test("TunnelNames.claim() saves before it resolves, and forgets what could not be saved", async () => {
  const saved: (readonly TunnelNameEntry[])[] = [];
  let full = false;
  const names = await TunnelNames.open({
    load: () => Promise.resolve([{ name: "old", ...KEY }]),
    save: (entries) => {
      if (full) return Promise.reject(new Error("disk is full"));
      saved.push(entries);
      return Promise.resolve();
    },
  });
  await names.claim("old", KEY);
  deepEqual(saved, []);
  await names.claim("new", KEY);
  deepEqual(saved, [[{ name: "old", ...KEY }, { name: "new", ...KEY }]]);
  full = true;
  await rejects(names.claim("more", KEY), { message: "disk is full" });
  equal(names.has("more"), false);
});

Deno.test("an owner has a bounded number of names: a key, or all keys of a token", async () => {
  const names = await TunnelNames.open(UNSAVED_TUNNEL_NAMES);
  for (let i = 0; i < MAX_TUNNEL_NAMES_PER_OWNER; i++) {
    await names.claim(`a${i}`, KEY);
    await names.claim(`b${i}`, { key: `x${i}`, token: "t1" });
  }
  await rejects(names.claim("more", KEY), { code: "resource_exhausted" });
  await rejects(names.claim("more", { key: "fresh", token: "t1" }), { code: "resource_exhausted" });
  await names.claim("a0", KEY);
  await names.claim("more", { key: "fresh", token: "t2" });
});

Deno.test("a broker has a bounded number of names", async () => {
  const entries = Array.from(
    { length: MAX_TUNNEL_NAMES },
    (_, i) => ({ name: `n${i}`, key: `k${i}`, token: "" }),
  );
  const names = await TunnelNames.open({
    load: () => Promise.resolve(entries),
    save: () => Promise.resolve(),
  });
  await rejects(names.claim("more", KEY), { code: "resource_exhausted" });
  await names.claim("n7", { key: "k7", token: "" });
});
