/** Keeps one tunnel open for as long as it is wanted, over as many sessions as that takes. */

import { Backoff } from "../backoff.ts";
import { delay } from "../delay.ts";
import { type Code, WasimoffError } from "../errors.ts";
import type { Session } from "../session/session.ts";
import { unlessAborted } from "../unless_aborted.ts";
import {
  type OpenedTunnel,
  type ReachService,
  TunnelClient,
  type TunnelClientOptions,
  type TunnelRequest,
} from "./tunnel_client.ts";

export interface KeepTunnelOptions {
  /** Opens a session at the broker, in one attempt. */
  readonly openSession: (signal: AbortSignal) => Promise<Session>;
  readonly client: TunnelClientOptions;
  readonly request: TunnelRequest;
  readonly reach: ReachService;
  /** Each time the tunnel is open. */
  readonly opened: (tunnel: OpenedTunnel) => void;
  /** The broker has forgotten us, or an attempt to come back has failed; another one follows. */
  readonly lost: (cause: WasimoffError) => void;
  readonly signal: AbortSignal;
}

/** Waits between attempts to come back, which go on for ever. */
const RETRY = { firstMs: 200, maxMs: 10_000 };

/** Errors that no waiting changes. */
const FINAL: ReadonlySet<Code> = new Set([
  "invalid_argument",
  "already_exists",
  "permission_denied",
  "failed_precondition",
  "unauthenticated",
  "unimplemented",
]);

/**
 * Opens the tunnel and opens it again whenever its session was lost. Resolves after the abort of `signal`; rejects when the
 * first attempt fails, when the broker refuses for good, or with `aborted` when another session has taken the tunnel over.
 */
export async function keepTunnel(options: KeepTunnelOptions): Promise<void> {
  const { signal } = options;
  let backoff = new Backoff(RETRY);
  for (let first = true; !signal.aborted; first = false) {
    try {
      const cause = await hold(options, () => backoff = new Backoff(RETRY));
      if (signal.aborted) return;
      if (cause.code === "aborted") throw new TakenOverError(cause.code, cause.message);
      options.lost(cause);
    } catch (error) {
      if (signal.aborted) return;
      const cause = WasimoffError.from(error);
      if (first || cause instanceof TakenOverError || FINAL.has(cause.code)) throw cause;
      options.lost(cause);
    }
    await delay(backoff.next(), signal).catch(() => {}); // the end of the signal ends the loop, too
  }
}

class TakenOverError extends WasimoffError {}

/** One session: resolves with the reason why nobody comes through its tunnel any more. */
async function hold(options: KeepTunnelOptions, onOpened: () => void): Promise<WasimoffError> {
  const { openSession, client, request, reach, opened, signal } = options;
  const session = await openSession(signal);
  try {
    const tunnel = await unlessAborted(
      new TunnelClient(session, client).open(request, reach, signal),
      signal,
    );
    onOpened();
    opened(tunnel);
    return await ended(AbortSignal.any([tunnel.signal, signal]));
  } finally {
    session.close(new WasimoffError("canceled", "tunnel is closed"));
    if (signal.aborted) await session.left; // the process may exit next
  }
}

function ended(signal: AbortSignal): Promise<WasimoffError> {
  const cause = () => WasimoffError.from(signal.reason, "canceled");
  if (signal.aborted) return Promise.resolve(cause());
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(cause()), { once: true }));
}
