/** The dialing side of a session: opens it, and comes back after every broken connection while its lease lasts. */

import { Backoff } from "../backoff.ts";
import { delay } from "../delay.ts";
import { type Code, WasimoffError } from "../errors.ts";
import type { Logger } from "../log.ts";
import type { Welcome } from "../protocol/gen/wasimoff/v2/wasimoff_pb.ts";
import { PROTOCOL_VERSION } from "../protocol/limits.ts";
import type { Connection } from "./connection.ts";
import { RefusedError, sayHello } from "./handshake.ts";
import { Session } from "./session.ts";

/** Makes a connection to the broker; rejects with a WasimoffError. */
export type Dial = (signal: AbortSignal) => Promise<Connection>;

export interface DialOptions {
  readonly dial: Dial;
  /** Empty for none. */
  readonly token: string;
  /** Program and version, told to the broker. */
  readonly agent: string;
  readonly logger: Logger;
  /** Ends the attempt to open; the open session does not depend on it. */
  readonly signal: AbortSignal;
}

/** First wait before dialing again; grows to REDIAL_MAX_MS so that a lease of 10 s sees several attempts. */
const REDIAL_FIRST_MS = 50;
const REDIAL_MAX_MS = 2_000;

/** Refusals after which the session will never go on. */
const FINAL: ReadonlySet<Code> = new Set([
  "not_found",
  "unauthenticated",
  "permission_denied",
  "unimplemented",
  "invalid_argument",
]);

/** Opens a session, in one attempt; afterwards keeps it connected until it ends. */
export async function openSession(options: DialOptions): Promise<Session> {
  const { session, welcome } = await dialAndGreet(options, options.signal, (welcome, connection) => {
    const session = new Session({ side: "dialer", leaseMs: welcome.leaseMs });
    session.attach(connection, 0);
    return { session, welcome };
  });
  keepConnected(session, welcome, options);
  return session;
}

/** Redials whenever the session loses its connection; ends it when the broker does not know it any more. */
function keepConnected(session: Session, { session: id, secret }: Welcome, options: DialOptions): void {
  let backoff = redialBackoff();
  let attachedAt = performance.now();
  const resume = async () => {
    const hello = { resume: { session: id, secret, received: BigInt(session.received) } };
    await dialAndGreet({ ...options, hello }, session.signal, (welcome, connection) => {
      attachedAt = performance.now();
      session.attach(connection, Number(welcome.received));
    });
  };
  const redial = async () => {
    // A connection that broke at once must not be replaced in a tight loop.
    if (performance.now() - attachedAt < REDIAL_MAX_MS) await pause(backoff.next(), session.signal);
    else backoff = redialBackoff();
    while (!session.signal.aborted && !session.connected) {
      try {
        return await resume();
      } catch (error) {
        const cause = WasimoffError.from(error);
        if (cause instanceof RefusedError && FINAL.has(cause.code)) {
          return session.close(new WasimoffError("unavailable", cause.message, { cause }));
        }
        options.logger.debug("could not resume the session", { reason: cause.message });
      }
      await pause(backoff.next(), session.signal);
    }
  };
  session.watch({
    detached: (cause) => {
      options.logger.debug("connection lost, resuming the session", { reason: cause.message });
      void redial();
    },
  });
}

/** Dials and says hello; the end of `signal` closes the connection and so ends the wait for the welcome. */
async function dialAndGreet<T>(
  options: DialOptions & { hello?: Parameters<typeof sayHello>[1] },
  signal: AbortSignal,
  onWelcome: (welcome: Welcome, connection: Connection) => T,
): Promise<T> {
  const { dial, token, agent, hello } = options;
  const connection = await dial(signal);
  const leave = () => connection.close("canceled", "dialer has left");
  if (signal.aborted) {
    leave();
    throw signal.reason;
  }
  let result: { value: T } | undefined;
  signal.addEventListener("abort", leave, { once: true });
  try {
    await sayHello(connection, { version: PROTOCOL_VERSION, token, agent, ...hello }, (welcome) => {
      result = { value: onWelcome(welcome, connection) };
    });
  } finally {
    signal.removeEventListener("abort", leave);
  }
  return result!.value;
}

function redialBackoff(): Backoff {
  return new Backoff({ firstMs: REDIAL_FIRST_MS, maxMs: REDIAL_MAX_MS });
}

/** Waits; the end of the session ends the wait, and the caller's loop. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(ms, signal).catch(() => {});
}
