/** A provider: keeps a session with a broker and runs the attempts it is given in its slots. */

import { Backoff } from "../backoff.ts";
import { delay } from "../delay.ts";
import { type Code, WasimoffError } from "../errors.ts";
import type { Logger } from "../log.ts";
import type { Session } from "../session/session.ts";
import type { FileRef } from "../storage/file_store.ts";
import { ProviderSession, type RunInSlot } from "./provider_session.ts";

/** Waits between attempts to reach a broker: short at first, so that a restarted broker is found soon. */
const RECONNECT_FIRST_MS = 200;
const RECONNECT_MAX_MS = 15_000;

/** Errors that no waiting will change. */
const HOPELESS: ReadonlySet<Code> = new Set([
  "unauthenticated",
  "permission_denied",
  "unimplemented",
  "invalid_argument",
]);

export interface ProviderOptions {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Attempts at once. */
  readonly slots: number;
  /** The most a task may have, and what it gets when it does not ask. */
  readonly taskMemoryBytes: number;
  readonly taskTimeoutMs: number;
  /** Leaves after the first task. */
  readonly once: boolean;
  /** Time that running tasks have to end when the provider is told to leave. */
  readonly drainMs: number;
  /** Opens a session with the broker, in one attempt. */
  readonly openSession: (signal: AbortSignal) => Promise<Session>;
  readonly runInSlot: RunInSlot;
  /** The content of a file, fetched from the broker when it is not here. */
  readonly loadFile: (ref: FileRef, storagePath: string) => Promise<Uint8Array>;
  /** Files that are here already, most recently used first. */
  readonly cached: () => Promise<readonly FileRef[]>;
  /** The provider is connected and takes tasks; told after every reconnect. */
  readonly onReady?: (provider: string) => void;
  readonly logger: Logger;
  /** Aborting drains: running tasks may end, no new ones are taken. */
  readonly signal: AbortSignal;
}

/**
 * Serves until the signal is aborted (or the first task is done, with `once`); reconnects for ever otherwise.
 * Rejects only with what no waiting changes, as a refused token.
 */
export async function runProvider(options: ProviderOptions): Promise<void> {
  const { logger, signal } = options;
  let backoff = new Backoff({ firstMs: RECONNECT_FIRST_MS, maxMs: RECONNECT_MAX_MS });
  while (!signal.aborted) {
    try {
      const session = await options.openSession(signal);
      backoff = new Backoff({ firstMs: RECONNECT_FIRST_MS, maxMs: RECONNECT_MAX_MS });
      const served = new ProviderSession(session, options);
      if (await served.serve() === "done") return;
    } catch (error) {
      const cause = WasimoffError.from(error);
      if (signal.aborted) return;
      if (HOPELESS.has(cause.code)) throw cause;
      const waitMs = backoff.next();
      logger.warn(`${cause.message}: trying again`, { inMs: Math.round(waitMs) });
      await delay(waitMs, signal).catch(() => {}); // the loop's condition sees the abort
    }
  }
}
