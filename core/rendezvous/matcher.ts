/** Introduces clients to waiting proxies, and carries one answer back (snowflake 4). */

import type { ClientOffer, OfferEnd } from "./client_messages.ts";
import type { Nat } from "./nat.ts";
import type { ProxyMatch, ProxyPoll, ProxyType } from "./proxy_messages.ts";
import { ProxyQueue } from "./proxy_queue.ts";

/** How long a poll waits for a client. Proxies give up after 30 s. */
export const POLL_TIMEOUT_MS = 10_000;
/** How long a client waits for the answer of its proxy. Clients give up after 15 s. */
export const ANSWER_TIMEOUT_MS = 10_000;

export type PollEnd = ProxyMatch | "no match";

/** Forgets whoever waited; for those who hang up. Does nothing after the end. */
export type Leave = () => void;

export interface MatcherOptions {
  /** Milliseconds of a clock that does not jump. */
  readonly now: () => number;
  /** Polls that wait at once; `poll` says no to more. */
  readonly maxPolls: number;
}

interface Poll extends ProxyPoll {
  readonly deadline: number;
  readonly settle: (end: PollEnd) => void;
}

interface Offer {
  readonly proxy: ProxyPoll;
  readonly deadline: number;
  readonly settle: (end: OfferEnd) => void;
}

export interface Waiting {
  readonly type: ProxyType;
  readonly nat: Nat;
}

/**
 * State without timers: whoever owns it calls `expire` now and then. Every poll and every offer is settled exactly once
 * unless it leaves before.
 */
export class Matcher {
  readonly #options: MatcherOptions;
  /** By Sid, in the order of their deadlines, as all wait equally long. */
  readonly #polls = new Map<string, Poll>();
  /** Offers whose answer is awaited, by the Sid of the proxy that has them; in the order of their deadlines, too. */
  readonly #offers = new Map<string, Offer>();
  readonly #unrestricted = new ProxyQueue<Poll>();
  readonly #others = new ProxyQueue<Poll>();

  constructor(options: MatcherOptions) {
    this.#options = options;
  }

  /** Polls that wait for a client. */
  get waiting(): number {
    return this.#polls.size;
  }

  /** Proxies that wait for a client, then those that are asked for their answer. */
  *proxies(): Iterable<Waiting> {
    yield* this.#polls.values();
    for (const { proxy } of this.#offers.values()) yield proxy;
  }

  /** The poll with this Sid, if there is one, is told that nobody came: another one takes its place. */
  replace(sid: string): void {
    const poll = this.#polls.get(sid);
    if (poll !== undefined) this.#endPoll(poll, "no match");
  }

  /** A proxy waits, in the place of a poll with its Sid. null when too many wait. */
  poll(proxy: ProxyPoll, settle: (end: PollEnd) => void): Leave | null {
    this.replace(proxy.sid);
    if (this.#polls.size >= this.#options.maxPolls) return null;
    const poll = { ...proxy, deadline: this.#options.now() + POLL_TIMEOUT_MS, settle };
    this.#polls.set(poll.sid, poll);
    this.#queueOf(poll).add(poll);
    return () => this.#forget(poll);
  }

  /** A client asks for a proxy of any kind that it can reach. It is denied at once when none waits. */
  offer({ offer, nat }: ClientOffer, relayUrl: string, settle: (end: OfferEnd) => void): Leave {
    const proxy = this.#choose(nat);
    if (proxy === undefined) {
      settle("denied");
      return () => {};
    }
    // The proxy has polled again before it answered the last client, who waits in vain.
    const abandoned = this.#offers.get(proxy.sid);
    if (abandoned !== undefined) this.#endOffer(abandoned, "timeout");
    const entry = { proxy, deadline: this.#options.now() + ANSWER_TIMEOUT_MS, settle };
    this.#offers.set(proxy.sid, entry);
    this.#endPoll(proxy, { offer, nat, relayUrl });
    return () => {
      if (this.#offers.get(proxy.sid) === entry) this.#offers.delete(proxy.sid);
    };
  }

  /** The answer of a proxy; false when nobody waits for it any more. */
  answer(sid: string, answer: string): boolean {
    const offer = this.#offers.get(sid);
    if (offer === undefined) return false;
    this.#endOffer(offer, { answer });
    return true;
  }

  /** Ends what has waited long enough. */
  expire(): void {
    const now = this.#options.now();
    for (const poll of this.#polls.values()) {
      if (poll.deadline > now) break;
      this.#endPoll(poll, "no match");
    }
    for (const offer of this.#offers.values()) {
      if (offer.deadline > now) break;
      this.#endOffer(offer, "timeout");
    }
  }

  /** Ends everything that waits. */
  close(): void {
    for (const poll of this.#polls.values()) this.#endPoll(poll, "no match");
    for (const offer of this.#offers.values()) this.#endOffer(offer, "timeout");
  }

  /**
   * Proxies that everybody reaches are kept for clients that reach no others. Unlike the reference broker an unrestricted
   * client gets one of them when no other waits.
   */
  #choose(client: Nat): Poll | undefined {
    const other = client === "unrestricted" ? this.#others.take() : undefined;
    return other ?? this.#unrestricted.take();
  }

  #queueOf({ nat }: Poll): ProxyQueue<Poll> {
    return nat === "unrestricted" ? this.#unrestricted : this.#others;
  }

  #endPoll(poll: Poll, end: PollEnd): void {
    this.#forget(poll);
    poll.settle(end);
  }

  #forget(poll: Poll): void {
    if (this.#polls.get(poll.sid) !== poll) return;
    this.#polls.delete(poll.sid);
    this.#queueOf(poll).delete(poll);
  }

  #endOffer(offer: Offer, end: OfferEnd): void {
    this.#offers.delete(offer.proxy.sid);
    offer.settle(end);
  }
}
