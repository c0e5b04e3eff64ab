/** Which transport to try first at which broker, learned from what has worked there. */

export type Transport = "websocket" | "webtransport";

/** A transport that has won at a broker lately. */
export interface RememberedTransport {
  /** The URL of the broker. */
  readonly broker: string;
  readonly transport: Transport;
  /** When it won, Unix milliseconds. */
  readonly wonAtMs: number;
}

export interface TransportChoiceOptions {
  /** Unix milliseconds. */
  readonly now: () => number;
  /** What earlier processes have learned; entries that are too old, or from the future, count for nothing. */
  readonly remembered?: readonly RememberedTransport[];
  /** Hears when something changes that the next process should know. */
  readonly onChange?: (remembered: readonly RememberedTransport[]) => void;
}

/** What the winner of the last race is ahead of the other: more than most brokers take to answer. */
export const HEAD_START_MS = 200;
/** After this time both start together again. */
export const REMEMBER_MS = 10 * 60_000;
/** A connection that broke sooner counts against its transport: a silent one is found out after 10 s. */
export const SHORT_LIFE_MS = 15_000;
/** How long it counts. */
export const AVOID_MS = 60_000;
/** What the other is ahead of it after the first time, doubled by each further one; little beside a lease. */
export const AVOID_FIRST_DELAY_MS = 250;
export const AVOID_MAX_DELAY_MS = 4_000;
/** Brokers that are remembered; the one that was learned of first is forgotten for a further one. */
export const MAX_REMEMBERED_BROKERS = 64;

/** How long each transport waits for the other at the next dial, milliseconds. */
export type HeadStarts = Readonly<Record<Transport, number>>;

interface Experience {
  won: { readonly transport: Transport; readonly atMs: number } | null;
  avoided: { readonly transport: Transport; readonly untilMs: number; readonly delayMs: number } | null;
}

export class TransportChoice {
  readonly #now: () => number;
  readonly #onChange: (remembered: readonly RememberedTransport[]) => void;
  readonly #brokers = new Map<string, Experience>();

  constructor({ now, remembered = [], onChange = () => {} }: TransportChoiceOptions) {
    this.#now = now;
    this.#onChange = onChange;
    for (const { broker, transport, wonAtMs } of remembered) {
      this.#experience(broker).won = { transport, atMs: wonAtMs };
    }
  }

  headStarts(broker: string): HeadStarts {
    const { won, avoided } = this.#brokers.get(broker) ?? UNKNOWN;
    if (avoided !== null && this.#now() < avoided.untilMs) {
      return behind(avoided.transport, avoided.delayMs);
    }
    if (won !== null && this.#isFresh(won.atMs)) return behind(other(won.transport), HEAD_START_MS);
    return TOGETHER;
  }

  /** A race has ended. Winning again prolongs nothing, so that both are tried together every REMEMBER_MS. */
  won(broker: string, transport: Transport): void {
    const experience = this.#experience(broker);
    const { won } = experience;
    if (won?.transport === transport && this.#isFresh(won.atMs)) return;
    experience.won = { transport, atMs: this.#now() };
    this.#onChange(this.remembered);
  }

  /** A connection over this transport has broken after `livedMs`. */
  broke(broker: string, transport: Transport, livedMs: number): void {
    if (livedMs >= SHORT_LIFE_MS) return;
    const experience = this.#experience(broker);
    const { avoided } = experience;
    const again = avoided !== null && this.#now() < avoided.untilMs ? avoided : null;
    const delayMs = Math.min((again?.delayMs ?? AVOID_FIRST_DELAY_MS / 2) * 2, AVOID_MAX_DELAY_MS);
    // When both break at once neither is better than the other.
    const both = again !== null && again.transport !== transport;
    experience.avoided = both ? null : { transport, untilMs: this.#now() + AVOID_MS, delayMs };
    experience.won = null;
  }

  /** What the next process should know, oldest first. */
  get remembered(): readonly RememberedTransport[] {
    return [...this.#brokers].flatMap(([broker, { won }]) =>
      won === null || !this.#isFresh(won.atMs)
        ? []
        : [{ broker, transport: won.transport, wonAtMs: won.atMs }]
    ).sort((a, b) => a.wonAtMs - b.wonAtMs);
  }

  #isFresh(atMs: number): boolean {
    const age = this.#now() - atMs;
    return age >= 0 && age < REMEMBER_MS;
  }

  #experience(broker: string): Experience {
    let experience = this.#brokers.get(broker);
    if (experience === undefined) {
      const [oldest] = this.#brokers.keys();
      if (this.#brokers.size >= MAX_REMEMBERED_BROKERS) this.#brokers.delete(oldest!);
      experience = { won: null, avoided: null };
      this.#brokers.set(broker, experience);
    }
    return experience;
  }
}

const UNKNOWN: Readonly<Experience> = { won: null, avoided: null };
const TOGETHER: HeadStarts = { websocket: 0, webtransport: 0 };

function other(transport: Transport): Transport {
  return transport === "websocket" ? "webtransport" : "websocket";
}

function behind(transport: Transport, ms: number): HeadStarts {
  return { ...TOGETHER, [transport]: ms };
}
