/** The rules of the house that a machine can check: who may import whom, and what a file may look like. */

import { deepStrictEqual } from "node:assert/strict";
import { filesBelow, ROOT } from "../tools/project_files.ts";
import { bySource, type Edge, importGraph, reach } from "./support/import_graph.ts";

/** What each room of core may import besides itself and the leaves, the files directly in core/. */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  protocol: [],
  wasi: [],
  storage: [],
  webtransport: [],
  rendezvous: [],
  session: ["protocol"],
  transport: ["protocol", "session", "webtransport"],
  tunnel: ["protocol", "session", "transport"],
  client: ["protocol", "session", "transport", "storage"],
  provider: ["protocol", "session", "transport", "storage", "wasi"],
  broker: ["protocol", "session", "transport", "storage", "tunnel", "rendezvous"],
  host: [
    ...["protocol", "session", "transport", "storage", "wasi", "webtransport", "rendezvous", "tunnel"],
    ...["client", "provider", "broker"],
  ],
};

/** Programs of their own: what starts here. The lean ones are started often and load no package but these. */
const ENTRIES = [
  "main.ts",
  "commands/slot.ts",
  "commands/python_slot.ts",
  "commands/guard.ts",
  "web/slot_worker.ts",
];
const LEAN_PACKAGES: readonly string[] = [];

const HOST_ONLY = /^(node:|ws$|@hono\/node-server|prom-client$)/;
const MAX_LINES = 350;

async function sourcesIn(...directories: string[]): Promise<string[]> {
  const lists = directories.map(async (directory) =>
    (await filesBelow(`${ROOT}${directory}`, ".ts")).map((path) => `${directory}/${path}`)
  );
  return (await Promise.all(lists)).flat();
}

/** `core/session` and the like for rooms of core, `core` for its leaves, else the first folder. */
function roomOf(path: string): string {
  const parts = path.split("/");
  return parts[0] === "core" ? parts.slice(0, Math.min(2, parts.length - 1)).join("/") : parts[0] as string;
}

function mayImport(from: string, to: string): boolean {
  if (from === to || from === "main.ts" || to === "deno.json") return true;
  if (from === "commands") return to === "core" || to.startsWith("core/");
  if (from === "web") return to !== "core/host" && (to === "core" || to.startsWith("core/"));
  if (from === "core") return false;
  return to === "core" || (ROOMS[from.slice(5)] ?? []).some((room) => to === `core/${room}`);
}

const text = ({ from, to }: Edge) => `${from} -> ${to}`;
const shipped = [
  ...await sourcesIn("core", "commands", "web"),
  ...[...Deno.readDirSync(ROOT)].map(({ name }) => name).filter((name) => name === "main.ts"),
];
const edges = await importGraph(shipped);
const ours = edges.filter(({ to }) => shipped.includes(to));

Deno.test("every room of core is in the table of rooms", () => {
  const rooms = new Set(shipped.map(roomOf).filter((room) => room.startsWith("core/")));
  deepStrictEqual([...rooms].filter((room) => !(room.slice(5) in ROOMS)), []);
});

Deno.test("imports point down: main, commands, host, rooms, leaves", () => {
  deepStrictEqual(ours.filter(({ from, to }) => !mayImport(roomOf(from), roomOf(to))).map(text), []);
});

Deno.test("no file imports itself through others", () => {
  const graph = bySource(ours);
  deepStrictEqual(ours.filter(({ from, to }) => reach(to, graph).has(from)).map(text), []);
});

Deno.test("Deno, node: and packages of the host stay out of the neutral rooms", async () => {
  const neutral = shipped.filter((path) => /^(core|web)\//.test(path) && !path.startsWith("core/host/"));
  deepStrictEqual(edges.filter(({ from, to }) => neutral.includes(from) && HOST_ONLY.test(to)).map(text), []);
  const comments = /\/\*[^]*?\*\/|(^|\s)\/\/.*$/gm;
  const codes = neutral.map(async (path) => (await Deno.readTextFile(ROOT + path)).replace(comments, ""));
  const named = (await Promise.all(codes)).flatMap((code, index) =>
    /\bDeno\b\s*[.[]/.test(code) ? neutral[index] : []
  );
  deepStrictEqual(named, []);
});

Deno.test("entries load no package before they know that they need it", () => {
  const eager = bySource(edges.filter((edge) => edge.eager));
  const isHeavy = (to: string) => !/^node:|\.(ts|json)$/.test(to) && !LEAN_PACKAGES.includes(to);
  const heavy = ENTRIES.flatMap((entry) =>
    [...reach(entry, eager)].filter(isHeavy).map((to) => `${entry} -> ${to}`)
  );
  deepStrictEqual(heavy, []);
});

Deno.test(`hand-written files have at most ${MAX_LINES} lines, and none is a barrel or a drawer`, async () => {
  const files = [...shipped, ...await sourcesIn("tools", "tests")].filter((path) => !path.includes("/gen/"));
  const lengths = files.map(async (path) => (await Deno.readTextFile(ROOT + path)).split("\n").length - 1);
  const long = (await Promise.all(lengths)).flatMap((lines, index) =>
    lines > MAX_LINES ? [`${files[index]}: ${lines}`] : []
  );
  deepStrictEqual(long, []);
  deepStrictEqual(files.filter((path) => /(^|\/)(index|mod|utils|helpers|common|types)\.ts$/.test(path)), []);
});
