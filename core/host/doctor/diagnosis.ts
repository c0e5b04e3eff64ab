/** Checks that build on each other: each has a limit of time, and what follows from a failed one is skipped. */

import { WasimoffError } from "../../errors.ts";
import { explainFetch } from "../fetch_failure.ts";

export type Status = "ok" | "warn" | "fail" | "skipped";

export interface Finding {
  readonly name: string;
  readonly status: Status;
  readonly detail: string;
  /** What to do about it; null for nothing. */
  readonly advice: string | null;
}

/** What a check has found out. */
export interface Verdict<T> {
  readonly status: Exclude<Status, "skipped">;
  readonly detail: string;
  readonly advice?: string;
  /** What checks that need this one build on; absent when there is nothing to build on. */
  readonly value?: T;
}

/** A check that has begun. */
export interface Step<T> {
  readonly name: string;
  readonly finding: Promise<Finding>;
  /** null when checks that need it are to be skipped. */
  readonly value: Promise<T | null>;
}

type Values<D extends readonly Step<unknown>[]> = {
  -readonly [K in keyof D]: D[K] extends Step<infer T> ? T : never;
};

/** What a check that was called off has to say for itself; else that it was late is all that is known. */
const LAST_WORDS_MS = 100;

export interface CheckOptions<D extends readonly Step<unknown>[]> {
  /** It begins when these have succeeded, and is skipped when one has not. */
  readonly needs: D;
  readonly limitMs: number;
}

export class Diagnosis {
  readonly #signal: AbortSignal;
  readonly #steps: Step<unknown>[] = [];

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  /** Begins a check, which gets the values of those that it needs. What it rejects with is what it has found. */
  check<T, const D extends readonly Step<unknown>[]>(
    name: string,
    { needs, limitMs }: CheckOptions<D>,
    run: (signal: AbortSignal, ...values: Values<D>) => Promise<Verdict<T>>,
  ): Step<T> {
    const done = this.#run(
      name,
      needs,
      (values) => this.#limited(limitMs, (signal) => run(signal, ...values)),
    );
    const step: Step<T> = {
      name,
      finding: done.then(({ finding }) => finding),
      value: done.then(({ value }) => value),
    };
    this.#steps.push(step);
    return step;
  }

  /** In the order in which they began, each as soon as it and those before it have ended. */
  async *findings(): AsyncGenerator<Finding> {
    for (const { finding } of this.#steps) yield await finding;
  }

  async #run<T, D extends readonly Step<unknown>[]>(
    name: string,
    needs: D,
    run: (values: Values<D>) => Promise<Verdict<T>>,
  ): Promise<{ finding: Finding; value: T | null }> {
    const values = await Promise.all(needs.map((need) => need.value));
    const missing = needs.find((_, index) => values[index] === null);
    if (missing !== undefined) {
      const detail = `needs ${missing.name}`;
      return { finding: { name, status: "skipped", detail, advice: null }, value: null };
    }
    const { status, detail, advice = null, value = null } = await run(values as Values<D>);
    return { finding: { name, status, detail, advice }, value };
  }

  async #limited<T>(
    limitMs: number,
    run: (signal: AbortSignal) => Promise<Verdict<T>>,
  ): Promise<Verdict<T>> {
    const stop = new AbortController();
    const { promise: late, resolve } = Promise.withResolvers<Verdict<T>>();
    let timer: ReturnType<typeof setTimeout>;
    const giveUp = (detail: string) => {
      clearTimeout(timer);
      timer = setTimeout(() => resolve({ status: "fail", detail }), LAST_WORDS_MS);
      stop.abort(new WasimoffError("deadline_exceeded", detail));
    };
    timer = setTimeout(() => giveUp(`no answer within ${limitMs / 1000} s`), limitMs);
    const onAbort = () => giveUp("was interrupted");
    if (this.#signal.aborted) onAbort();
    this.#signal.addEventListener("abort", onAbort, { once: true });
    const ended = run(stop.signal).catch((error): Verdict<T> => ({
      status: "fail",
      detail: error instanceof WasimoffError ? error.message : explainFetch(error).reason,
    }));
    try {
      return await Promise.race([ended, late]);
    } finally {
      clearTimeout(timer);
      this.#signal.removeEventListener("abort", onAbort);
    }
  }
}
