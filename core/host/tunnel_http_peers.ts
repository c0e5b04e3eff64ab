/** Who uses the reverse proxy of a broker now: connections of tunnels, and bounds on both sides. */

import type { ByteDuplex } from "../byte_stream.ts";
import { WasimoffError } from "../errors.ts";
import { GroupCount } from "../group_count.ts";
import type { PublicTunnel, Visitor } from "../tunnel/public_tunnel.ts";
import { ServiceAgent } from "./service_agent.ts";

/** Requests of one tunnel in flight, open WebSockets not counted; a quarter of its streams. */
const MAX_REQUESTS = 1_024;
/** Of those, what one remote address may have. */
const MAX_REQUESTS_PER_VISITOR = 256;

/** Streams that many visitors share come from nobody in particular. */
const SHARED: Visitor = { address: "", port: 0 };
/** Nobody waits for a stream that long: the client of a tunnel answers within its own, shorter limit. */
const OPEN_TIMEOUT_MS = 30_000;

interface TunnelUse {
  readonly agent: ServiceAgent;
  requests: number;
  readonly perVisitor: GroupCount;
}

export class TunnelHttpPeers {
  readonly #uses = new WeakMap<PublicTunnel, TunnelUse>();

  /** Counts a request; gives what ends the counting, or null when there are too many. */
  enter(tunnel: PublicTunnel, group: string | null): (() => void) | null {
    const use = this.#useOf(tunnel);
    const leave = use.requests < MAX_REQUESTS ? use.perVisitor.enter(group) : null;
    if (leave === null) return null;
    use.requests++;
    return () => {
      use.requests--;
      leave();
    };
  }

  /** The connections to the service of a tunnel; for one visitor alone, one that is not kept. */
  agentOf(tunnel: PublicTunnel, visitor: Visitor | null): ServiceAgent {
    if (visitor === null) return this.#useOf(tunnel).agent;
    return new ServiceAgent(() => openInTime(tunnel, visitor));
  }

  #useOf(tunnel: PublicTunnel): TunnelUse {
    let use = this.#uses.get(tunnel);
    if (use === undefined) {
      const agent = new ServiceAgent(() => openInTime(tunnel, SHARED));
      use = { agent, requests: 0, perVisitor: new GroupCount(MAX_REQUESTS_PER_VISITOR) };
      this.#uses.set(tunnel, use);
    }
    return use;
  }
}

async function openInTime(tunnel: PublicTunnel, visitor: Visitor): Promise<ByteDuplex> {
  const late = new AbortController();
  const timer = setTimeout(
    () => late.abort(new WasimoffError("deadline_exceeded", "service was not reached in time")),
    OPEN_TIMEOUT_MS,
  );
  try {
    return await tunnel.open(visitor, late.signal);
  } finally {
    clearTimeout(timer);
  }
}
