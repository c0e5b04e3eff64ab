/** The bridges behind the proxies, by fingerprint (snowflake 4, "Bridge list"). */

import { WasimoffError } from "../errors.ts";
import { DEFAULT_FINGERPRINT, parseFingerprint } from "./fingerprint.ts";

/** Relay URL of a bridge by its fingerprint in upper case. */
export type BridgeList = ReadonlyMap<string, string>;

/** The bridge that is known without a list. */
export const DEFAULT_BRIDGES: BridgeList = new Map([
  [DEFAULT_FINGERPRINT, "wss://snowflake.torproject.net/"],
]);

const FIELDS: ReadonlySet<string> = new Set(["displayName", "webSocketAddress", "fingerprint"]);

/** Reads JSON lines; throws `invalid_argument`, which names the line, for the first that is wrong. */
export function parseBridgeList(text: string): BridgeList {
  const bridges = new Map<string, string>();
  for (const [i, line] of text.replace(/\n$/, "").split("\n").entries()) {
    const { fingerprint, address } = parseBridge(line, i + 1);
    bridges.set(fingerprint, address);
  }
  return bridges;
}

function parseBridge(line: string, number: number): { fingerprint: string; address: string } {
  const wrong = (detail: string, cause?: unknown) =>
    new WasimoffError("invalid_argument", `line ${number} of the bridge list is wrong: ${detail}`, { cause });
  let bridge: unknown;
  try {
    bridge = JSON.parse(line);
  } catch (cause) {
    throw wrong("it is no JSON", cause);
  }
  if (typeof bridge !== "object" || bridge === null) throw wrong("it is no JSON object");
  const unknown = Object.keys(bridge).find((name) => !FIELDS.has(name));
  if (unknown !== undefined) throw wrong(`"${unknown}" is not known: ${[...FIELDS].join(", ")} are`);
  const { fingerprint: text, webSocketAddress: address } = bridge as Record<string, unknown>;
  const fingerprint = typeof text === "string" ? parseFingerprint(text) : null;
  if (fingerprint === null) throw wrong("its fingerprint is not 20 or 32 bytes of hex");
  const protocol = typeof address === "string" ? URL.parse(address)?.protocol : undefined;
  if (typeof address !== "string" || (protocol !== "ws:" && protocol !== "wss:")) {
    throw wrong("its webSocketAddress is no ws or wss URL");
  }
  return { fingerprint, address };
}
