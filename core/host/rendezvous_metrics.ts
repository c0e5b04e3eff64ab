/** The rendezvous in numbers for Prometheus, with the names of the reference broker (snowflake 6). */

import { Counter, Gauge, Registry } from "prom-client";
import type { Rendezvous } from "../rendezvous/rendezvous.ts";
import { type LabelledCounts, type RendezvousCounts, rounded } from "../rendezvous/rendezvous_counts.ts";
import type { TextPage } from "./rendezvous_http.ts";

type Read = (counts: RendezvousCounts) => LabelledCounts;

/** Name below `snowflake_rounded_`, its two labels, what it says, and where it is counted. */
const COUNTERS: readonly [name: string, labels: readonly [string, string], help: string, read: Read][] = [
  ["proxy_poll_total", ["nat", "status"], "Polls of proxies by how they ended", (c) => c.proxyEnds],
  ["client_poll_total", ["nat", "status"], "Offers of clients by how they ended", (c) => c.clientEnds],
  [
    "proxy_poll_with_relay_url_extension_total",
    ["nat", "type"],
    "Polls of proxies that take relay URLs",
    (c) => c.withRelay,
  ],
  [
    "proxy_poll_without_relay_url_extension_total",
    ["nat", "type"],
    "Polls of proxies that take no relay URLs",
    (c) => c.withoutRelay,
  ],
  [
    "proxy_poll_rejected_relay_url_extension_total",
    ["nat", "type"],
    "Polls of proxies whose relay pattern is too narrow",
    (c) => c.rejected,
  ],
];

/** Has a registry of its own, without numbers of the process. `snowflake_proxy_total` needs GeoIP and stays away. */
export class RendezvousMetrics {
  readonly #registry = new Registry();

  constructor(rendezvous: Rendezvous) {
    for (const [name, labels, help, read] of COUNTERS) {
      this.#count(name, labels, help, () => read(rendezvous.counts));
    }
    new Gauge({
      name: "snowflake_available_proxies",
      help: "Proxies that wait for a client or are asked for an answer",
      labelNames: ["nat", "type"],
      registers: [this.#registry],
      collect() {
        this.reset();
        for (const { nat, type } of rendezvous.proxies()) this.inc({ nat, type });
      },
    });
  }

  async page(): Promise<TextPage> {
    return { contentType: this.#registry.contentType, text: await this.#registry.metrics() };
  }

  #count(
    name: string,
    [first, second]: readonly [string, string],
    help: string,
    read: () => LabelledCounts,
  ): void {
    new Counter({
      name: `snowflake_rounded_${name}`,
      help: `${help}, rounded up to a multiple of 8`,
      labelNames: [first, second],
      registers: [this.#registry],
      collect() {
        this.reset();
        for (const [key, count] of read()) {
          const [one = "", other = ""] = key.split(",");
          this.inc({ [first]: one, [second]: other }, rounded(count));
        }
      },
    });
  }
}
