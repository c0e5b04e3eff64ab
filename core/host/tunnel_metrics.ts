/** Numbers of tunnels for the page of Prometheus: one series for each, up to a bound. */

import { Counter, Gauge, type Registry } from "prom-client";
import type { PublicTunnel, TunnelCounters } from "../tunnel/public_tunnel.ts";

export type CountedTunnel = Pick<PublicTunnel, "name" | "counters">;

/** Tunnels with series of their own: strangers may open more, and every series costs whoever collects them. */
export const MAX_TUNNEL_SERIES = 1_000;
/** The label of all others together; no tunnel may be called so. */
const OTHERS = "(others)";

/** Since the tunnel was opened; opened again it counts from zero, as Prometheus expects of counters. */
const COUNTERS: readonly (readonly [name: string, help: string, value: keyof TunnelCounters])[] = [
  ["wasimoff_tunnel_requests_total", "HTTP requests through the tunnel", "requests"],
  ["wasimoff_tunnel_streams_total", "Connections through the tunnel", "streams"],
  ["wasimoff_tunnel_received_bytes_total", "Bytes from visitors to the service", "bytesIn"],
  ["wasimoff_tunnel_sent_bytes_total", "Bytes from the service to visitors", "bytesOut"],
];

export class TunnelMetrics {
  readonly #open: Gauge;
  readonly #active: Gauge;
  readonly #counters: readonly (readonly [Counter, keyof TunnelCounters])[];

  constructor(registry: Registry) {
    const registers = [registry];
    this.#open = new Gauge({ name: "wasimoff_tunnels", help: "Open tunnels", registers });
    const labelNames = ["tunnel"];
    const active = { name: "wasimoff_tunnel_streams_active", help: "Open connections through the tunnel" };
    this.#active = new Gauge({ ...active, labelNames, registers });
    this.#counters = COUNTERS.map(([name, help, value]) =>
      [new Counter({ name, help, labelNames, registers }), value] as const
    );
  }

  /** Shows the numbers of the moment and no others. */
  update(tunnels: Iterable<CountedTunnel>): void {
    this.#active.reset();
    for (const [counter] of this.#counters) counter.reset();
    let open = 0;
    for (const { name, counters } of tunnels) {
      const tunnel = ++open > MAX_TUNNEL_SERIES ? OTHERS : name;
      this.#active.inc({ tunnel }, counters.activeStreams);
      for (const [counter, value] of this.#counters) counter.inc({ tunnel }, counters[value]);
    }
    this.#open.set(open);
  }
}
