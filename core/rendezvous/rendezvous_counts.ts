/** What the rendezvous has done: counts for its log, for Prometheus, and for `/debug` (snowflake 6). */

import type { Waiting } from "./matcher.ts";
import type { Nat } from "./nat.ts";
import { PROXY_TYPES, type ProxyPoll, type ProxyType } from "./proxy_messages.ts";

/** Addresses that are remembered for a period, of each type of proxies: about 10 MB. Later ones are not counted. */
const MAX_ADDRESSES = 100_000;
/** Counts are told in steps of this, so that nobody can single a client out. */
const STEP = 8;

export type ClientEnd = "matched" | "denied";
export type ProxyEnd = "matched" | "idle";

/** A count by labels, as Prometheus has it: `nat,type` or the like. */
export type LabelledCounts = ReadonlyMap<string, number>;

/** Counts since the start by labels, and those of the log's period. */
export class RendezvousCounts {
  readonly proxyEnds = new Map<string, number>();
  readonly clientEnds = new Map<string, number>();
  readonly withRelay = new Map<string, number>();
  readonly withoutRelay = new Map<string, number>();
  readonly rejected = new Map<string, number>();
  #period = new Period();

  /** A poll came in from an address. */
  poll({ type, nat, relayPattern }: ProxyPoll, address: string): void {
    this.#period.seen(type, address);
    if (relayPattern === null) this.#period.withoutRelay++;
    else this.#period.withRelay++;
    add(relayPattern === null ? this.withoutRelay : this.withRelay, nat, type);
  }

  /** A poll was turned away because of its pattern. */
  reject({ type, nat }: ProxyPoll): void {
    this.#period.rejected++;
    add(this.rejected, nat, type);
  }

  endPoll(nat: Nat, end: ProxyEnd): void {
    if (end === "idle") this.#period.idle++;
    add(this.proxyEnds, nat, end);
  }

  /** A client that got an answer, or was denied; those whose time ran out are neither. */
  endOffer(nat: Nat, end: ClientEnd): void {
    if (end === "matched") this.#period.matched++;
    else if (nat === "unrestricted") this.#period.deniedUnrestricted++;
    else this.#period.deniedRestricted++;
    add(this.clientEnds, nat, end);
  }

  /** The block of the log for the period that ends now, and begins a new one. There is no GeoIP: no country is known. */
  endPeriod(end: Date, seconds: number): string {
    const period = this.#period;
    this.#period = new Period();
    return period.report(end, seconds);
  }
}

class Period {
  readonly #addresses = new Map<ProxyType, Set<string>>();
  idle = 0;
  withRelay = 0;
  withoutRelay = 0;
  rejected = 0;
  deniedRestricted = 0;
  deniedUnrestricted = 0;
  matched = 0;

  seen(type: ProxyType, address: string): void {
    let addresses = this.#addresses.get(type);
    if (addresses === undefined) this.#addresses.set(type, addresses = new Set());
    if (addresses.size < MAX_ADDRESSES) addresses.add(address);
  }

  report(end: Date, seconds: number): string {
    const ips = (type: ProxyType) => this.#addresses.get(type)?.size ?? 0;
    const types: readonly ProxyType[] = [...PROXY_TYPES, "unknown"];
    const lines: [name: string, value: string | number][] = [
      ["snowflake-stats-end", `${end.toISOString().slice(0, 19).replace("T", " ")} (${seconds} s)`],
      ["snowflake-ips", ""],
      ...PROXY_TYPES.map((type): [string, number] => [`snowflake-ips-${type}`, ips(type)]),
      ["snowflake-ips-total", types.reduce((sum, type) => sum + ips(type), 0)],
      ["snowflake-idle-count", rounded(this.idle)],
      ["snowflake-proxy-poll-with-relay-url-count", rounded(this.withRelay)],
      ["snowflake-proxy-poll-without-relay-url-count", rounded(this.withoutRelay)],
      ["snowflake-proxy-rejected-for-relay-url-count", rounded(this.rejected)],
      ["client-denied-count", rounded(this.deniedRestricted + this.deniedUnrestricted)],
      ["client-restricted-denied-count", rounded(this.deniedRestricted)],
      ["client-unrestricted-denied-count", rounded(this.deniedUnrestricted)],
      ["client-snowflake-match-count", rounded(this.matched)],
      ...["restricted", "unrestricted", "unknown"].map((
        nat,
      ): [string, number] => [`snowflake-ips-nat-${nat}`, 0]),
    ];
    return lines.map(([name, value]) => `${name} ${value}\n`).join("");
  }
}

/** Up to the next multiple of STEP. */
export function rounded(count: number): number {
  return Math.ceil(count / STEP) * STEP;
}

function add(counts: Map<string, number>, nat: Nat, other: string): void {
  const key = `${nat},${other}`;
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

/** The text of `/debug`. */
export function debugText(proxies: Iterable<Waiting>): string {
  const types = new Map<string, number>();
  const nats = new Map<string, number>();
  let total = 0;
  for (const { type, nat } of proxies) {
    total++;
    types.set(type, (types.get(type) ?? 0) + 1);
    nats.set(nat, (nats.get(nat) ?? 0) + 1);
  }
  const known = PROXY_TYPES.filter((type) => types.has(type));
  const nat = (name: Nat) => `\n\t${name}: ${nats.get(name) ?? 0}`;
  return `current snowflakes available: ${total}` +
    known.map((type) => `\n\t${type} proxies: ${types.get(type)}`).join("") +
    `\n\tunknown proxies: ${types.get("unknown") ?? 0}` +
    `\nNAT Types available:${nat("restricted")}${nat("unrestricted")}${nat("unknown")}`;
}
