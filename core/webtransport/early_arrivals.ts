/** Streams and datagrams whose session is not known yet, because its request is slower than they are. */

/** What came for a session: kept in order. */
export interface EarlyArrival {
  readonly sessionId: bigint;
  /** The session is there: it gets it. */
  deliver(): void;
  /** The session did not come in time, or there is no room. */
  refuse(): void;
}

/** Ended sessions that are remembered, so that what comes late for them is refused at once. */
const MAX_REMEMBERED = 64;

export class EarlyArrivals {
  readonly #limit: number;
  readonly #timeoutMs: number;
  readonly #held = new Map<EarlyArrival, ReturnType<typeof setTimeout>>();
  readonly #gone = new Set<bigint>();

  constructor({ limit, timeoutMs }: { limit: number; timeoutMs: number }) {
    this.#limit = limit;
    this.#timeoutMs = timeoutMs;
  }

  /** Keeps it for a while, or refuses it. */
  hold(arrival: EarlyArrival): void {
    if (this.#gone.has(arrival.sessionId) || this.#held.size >= this.#limit) return arrival.refuse();
    const timer = setTimeout(() => {
      this.#held.delete(arrival);
      arrival.refuse();
    }, this.#timeoutMs);
    this.#held.set(arrival, timer);
  }

  /** The session is there. */
  release(sessionId: bigint): void {
    for (const arrival of this.#take(sessionId)) arrival.deliver();
  }

  /** The session has ended, or will never come. */
  forget(sessionId: bigint): void {
    this.#gone.add(sessionId);
    if (this.#gone.size > MAX_REMEMBERED) {
      for (const oldest of this.#gone) {
        this.#gone.delete(oldest);
        break;
      }
    }
    for (const arrival of this.#take(sessionId)) arrival.refuse();
  }

  /** The connection has ended. */
  clear(): void {
    for (const timer of this.#held.values()) clearTimeout(timer);
    this.#held.clear();
  }

  #take(sessionId: bigint): EarlyArrival[] {
    const taken = [...this.#held].filter(([arrival]) => arrival.sessionId === sessionId);
    for (const [arrival, timer] of taken) {
      clearTimeout(timer);
      this.#held.delete(arrival);
    }
    return taken.map(([arrival]) => arrival);
  }
}
