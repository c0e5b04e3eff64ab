/** Tests of the file that remembers transports between runs. */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { openTransportChoice, transportMemoryPath } from "../../commands/transport_memory.ts";
import { Logger, silent } from "../../core/log.ts";
import { HEAD_START_MS } from "../../core/transport/transport_choice.ts";
import { waitUntil } from "../support/open_server.ts";
import { temporaryDirectory } from "./temporary_directory.ts";

const BROKER = "https://broker.example/";
const TOGETHER = { websocket: 0, webtransport: 0 };

/** Whether the file is there and has this text. */
function said(path: string, text: string): boolean {
  try {
    return Deno.readTextFileSync(path).includes(text);
  } catch {
    return false;
  }
}

Deno.test("transportMemoryPath() follows XDG_STATE_HOME, then HOME", () => {
  const path = (variables: Record<string, string>) => transportMemoryPath((name) => variables[name]);
  strictEqual(path({ XDG_STATE_HOME: "/x", HOME: "/h" }), "/x/wasimoff/transports.json");
  strictEqual(path({ XDG_STATE_HOME: "", HOME: "/h" }), "/h/.local/state/wasimoff/transports.json");
  strictEqual(path({}), null);
});

Deno.test("openTransportChoice() hands to the next run what one has learned, readable by nobody else", async () => {
  await using directory = await temporaryDirectory();
  const path = `${directory.path}/state/wasimoff/transports.json`;
  const first = await openTransportChoice(path, silent);
  first.won(BROKER, "webtransport");
  await waitUntil(() => said(path, BROKER));
  strictEqual((await Deno.stat(path)).mode! & 0o777, 0o600);
  const second = await openTransportChoice(path, silent);
  deepStrictEqual(second.headStarts(BROKER), { websocket: HEAD_START_MS, webtransport: 0 });
  // What another run has learned meanwhile stays.
  first.won("http://other/", "websocket");
  await waitUntil(() => said(path, "other"));
  second.won("http://third/", "websocket");
  await waitUntil(() => said(path, "third"));
  const { brokers } = JSON.parse(await Deno.readTextFile(path));
  deepStrictEqual(brokers.map((entry: { broker: string }) => entry.broker).toSorted(), [
    "http://other/",
    "http://third/",
    BROKER,
  ]);
});

Deno.test("openTransportChoice() does without a file that is absent, broken, foreign or too large", async () => {
  await using directory = await temporaryDirectory();
  const path = `${directory.path}/transports.json`;
  const headStarts = async () => (await openTransportChoice(path, silent)).headStarts(BROKER);
  const entry = { broker: BROKER, transport: "webtransport", wonAtMs: Date.now() - 1 };
  const texts = [
    "",
    "null",
    '{"schema":1}',
    JSON.stringify({ schema: 2, brokers: [entry] }),
    JSON.stringify({ schema: 1, brokers: [{ ...entry, transport: "pigeon" }, 7, null] }),
    JSON.stringify({ schema: 1, brokers: [{ ...entry, wonAtMs: "now" }] }),
    JSON.stringify({ schema: 1, brokers: [entry] }) + " ".repeat(64 * 1024),
  ];
  deepStrictEqual(await headStarts(), TOGETHER);
  for (const text of texts) {
    await Deno.writeTextFile(path, text);
    deepStrictEqual(await headStarts(), TOGETHER, text.trim());
  }
  await Deno.writeTextFile(path, JSON.stringify({ schema: 1, brokers: [entry] }));
  deepStrictEqual((await headStarts()).websocket, HEAD_START_MS);
});

Deno.test("openTransportChoice() goes on when nothing can be written, and says so to who listens", async () => {
  const lines: string[] = [];
  const logger = new Logger((level, message) => lines.push(`${level} ${message}`));
  const choice = await openTransportChoice("/dev/null/transports.json", logger);
  choice.won(BROKER, "websocket");
  strictEqual(choice.headStarts(BROKER).webtransport, HEAD_START_MS);
  await waitUntil(() => lines.length > 0);
  deepStrictEqual(lines, ['debug cannot write "/dev/null/transports.json"']);
});
