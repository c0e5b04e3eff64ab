/** One tunnel at the broker: what its client asked for, and the streams of its visitors. */

import type { ByteDuplex } from "../byte_stream.ts";
import { WasimoffError } from "../errors.ts";
import { GroupCount } from "../group_count.ts";
import { MAX_TUNNEL_STREAMS, MAX_TUNNEL_STREAMS_PER_VISITOR } from "../protocol/limits.ts";
import { countedDuplex } from "./counted_duplex.ts";
import type { PublicTunnel, TunnelCounters, Visitor } from "./public_tunnel.ts";
import type { OpeningStream } from "./stream_request.ts";

/** The session of a tunnel's client, as a tunnel sees it. */
export interface TunnelLink {
  /** Aborted at the end of the session, with the cause. */
  readonly signal: AbortSignal;
  /** Whether the client is connected and not silent. */
  readonly live: boolean;
  /** Random bytes as hex, the same in all sessions of one process. */
  readonly instance: string;
  /** Asks the client for a stream to the service behind `tunnel`. */
  openStream(tunnel: string, visitor: Visitor, signal: AbortSignal): Promise<OpeningStream>;
  /** Tells the client that nobody comes through this tunnel any more. */
  tunnelClosed(tunnel: string, cause: WasimoffError): void;
}

/** What the client of a tunnel asks for, checked. */
export interface TunnelSpec {
  readonly name: string;
  /** Id of its key. */
  readonly key: string;
  readonly kind: "http" | "tcp";
  readonly basicAuth: ReadonlySet<string>;
  readonly hostHeader: string | null;
  readonly allows: (address: string) => boolean;
}

/** Which addresses count as one visitor; null for somebody who may have any number of streams. */
export type VisitorGroup = (address: string) => string | null;

export class RegisteredTunnel implements PublicTunnel {
  readonly counters: TunnelCounters = { streams: 0, activeStreams: 0, requests: 0, bytesIn: 0, bytesOut: 0 };
  readonly #ended = new AbortController();
  readonly #perVisitor = new GroupCount(MAX_TUNNEL_STREAMS_PER_VISITOR);

  /** `id` names it among the tunnels of its session. */
  constructor(
    readonly id: string,
    readonly spec: TunnelSpec,
    readonly link: TunnelLink,
    readonly groupOf: VisitorGroup,
  ) {}

  get name(): string {
    return this.spec.name;
  }

  get kind(): "http" | "tcp" {
    return this.spec.kind;
  }

  get basicAuth(): ReadonlySet<string> {
    return this.spec.basicAuth;
  }

  get hostHeader(): string | null {
    return this.spec.hostHeader;
  }

  /** Aborted when nobody comes through it any more: its session has ended, or another has taken over. */
  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  allows(address: string): boolean {
    return this.spec.allows(address);
  }

  async open(visitor: Visitor, signal: AbortSignal): Promise<ByteDuplex> {
    const { duplex, reached } = await this.begin(visitor, signal);
    await reached;
    return duplex;
  }

  /** As `open`, without waiting for the service. Rejects with `resource_exhausted` for one stream too many. */
  async begin(visitor: Visitor, signal: AbortSignal): Promise<OpeningStream> {
    this.signal.throwIfAborted();
    signal.throwIfAborted();
    const leave = this.#enter(this.groupOf(visitor.address));
    try {
      const { duplex, reached } = await this.link.openStream(this.id, visitor, signal);
      reached.catch(leave); // ended without a word on either side
      return { duplex: countedDuplex(duplex, this.counters, leave), reached };
    } catch (error) {
      leave();
      throw error;
    }
  }

  /** Lets nobody in any more; streams that are open go on. */
  close(cause: WasimoffError): void {
    this.#ended.abort(cause);
  }

  /** Counts a visitor; gives what ends the counting, once. */
  #enter(group: string | null): () => void {
    const leave = this.counters.activeStreams < MAX_TUNNEL_STREAMS ? this.#perVisitor.enter(group) : null;
    if (leave === null) {
      throw new WasimoffError(
        "resource_exhausted",
        `tunnel "${this.name}" has too many streams: try again later`,
      );
    }
    this.counters.streams++;
    this.counters.activeStreams++;
    let inside = true;
    return () => {
      if (!inside) return;
      inside = false;
      this.counters.activeStreams--;
      leave();
    };
  }
}
