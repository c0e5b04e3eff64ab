/** Introduces two WebRTC peers that know a common name: what `/rendezvous/NAME` does (examples/rendezvous/README.md). */

/** How long a first peer waits for a second one, and then for its answer. */
export const MEETING_TIMEOUT_MS = 30_000;

export const MAX_NAME_CHARS = 128;

/** How an offer under a name ends. */
export type MeetingEnd =
  /** The other peer was there first: answer its offer. */
  | { readonly kind: "offer"; readonly offer: string; readonly id: string }
  /** The other peer has answered. */
  | { readonly kind: "answer"; readonly answer: string }
  | { readonly kind: "nobody" };

export interface MeetingPointOptions {
  readonly now: () => number;
  /** Unguessable; who knows it may answer. */
  readonly makeId: () => string;
  /** Peers that wait at once, in all. */
  readonly maxPeers: number;
}

interface Peer {
  readonly name: string;
  readonly id: string;
  readonly offer: string;
  readonly deadline: number;
  readonly settle: (end: MeetingEnd) => void;
}

/** State without timers, as Matcher. Of two peers the first one's offer is answered, the second one's is dropped. */
export class MeetingPoint {
  readonly #options: MeetingPointOptions;
  /** The first peer of each name. */
  readonly #first = new Map<string, Peer>();
  /** Those, and those whose offer was handed on; in the order of their deadlines. */
  readonly #peers = new Map<string, Peer>();

  constructor(options: MeetingPointOptions) {
    this.#options = options;
  }

  get waiting(): number {
    return this.#peers.size;
  }

  /** A peer comes with its offer. null when too many wait; otherwise what to call when it hangs up. */
  meet(name: string, offer: string, settle: (end: MeetingEnd) => void): (() => void) | null {
    const { now, makeId, maxPeers } = this.#options;
    const other = this.#first.get(name);
    if (other !== undefined) {
      this.#first.delete(name);
      settle({ kind: "offer", offer: other.offer, id: other.id });
      return () => {};
    }
    if (this.#peers.size >= maxPeers) return null;
    const peer = { name, id: makeId(), offer, deadline: now() + MEETING_TIMEOUT_MS, settle };
    this.#first.set(name, peer);
    this.#peers.set(peer.id, peer);
    return () => this.#forget(peer);
  }

  /** The second peer's answer; false when the first one does not wait for it. */
  answer(name: string, id: string, answer: string): boolean {
    const peer = this.#peers.get(id);
    if (peer === undefined || peer.name !== name || this.#first.get(name) === peer) return false;
    this.#end(peer, { kind: "answer", answer });
    return true;
  }

  /** Ends what has waited long enough. */
  expire(): void {
    const now = this.#options.now();
    for (const peer of this.#peers.values()) {
      if (peer.deadline > now) break;
      this.#end(peer, { kind: "nobody" });
    }
  }

  close(): void {
    for (const peer of this.#peers.values()) this.#end(peer, { kind: "nobody" });
  }

  #end(peer: Peer, end: MeetingEnd): void {
    this.#forget(peer);
    peer.settle(end);
  }

  #forget(peer: Peer): void {
    this.#peers.delete(peer.id);
    if (this.#first.get(peer.name) === peer) this.#first.delete(peer.name);
  }
}
