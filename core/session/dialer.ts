/** The dialing side of a session: opens it, and comes back after every broken connection while its lease lasts. */

import { Backoff } from "../backoff.ts";
import { delay } from "../delay.ts";
import { WasimoffError } from "../errors.ts";
import type { Logger } from "../log.ts";
import type { Welcome } from "../protocol/gen/wasimoff/v2/wasimoff_pb.ts";
import { PROTOCOL_VERSION } from "../protocol/limits.ts";
import type { Connection } from "./connection.ts";
import { sayHello } from "./handshake.ts";
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

/** Opens a session, in one attempt; afterwards keeps it connected until it ends. */
export async function openSession(options: DialOptions): Promise<Session> {
  const connection = await options.dial(options.signal);
  const { token, agent } = options;
  let opened: { session: Session; welcome: Welcome } | undefined;
  const stop = () => connection.close("canceled", "dialer has left");
  options.signal.addEventListener("abort", stop, { once: true });
  try {
    await sayHello(connection, { version: PROTOCOL_VERSION, token, agent }, (welcome) => {
      opened = { session: new Session({ side: "dialer", leaseMs: welcome.leaseMs }), welcome };
      opened.session.attach(connection, 0);
    });
  } finally {
    options.signal.removeEventListener("abort", stop);
  }
  const { session, welcome } = opened!;
  keepConnected(session, welcome, options);
  return session;
}

/** Redials whenever the session loses its connection; ends it when the broker does not know it any more. */
function keepConnected(session: Session, { session: id, secret }: Welcome, options: DialOptions): void {
  const { dial, token, agent, logger } = options;
  const resume = async () => {
    const connection = await dial(session.signal);
    const hello = {
      version: PROTOCOL_VERSION,
      token,
      agent,
      resume: { session: id, secret, received: BigInt(session.received) },
    };
    await sayHello(connection, hello, (welcome) => session.attach(connection, Number(welcome.received)));
  };
  const redial = async () => {
    const backoff = new Backoff({ firstMs: REDIAL_FIRST_MS, maxMs: REDIAL_MAX_MS });
    while (!session.signal.aborted && !session.connected) {
      try {
        return await resume();
      } catch (error) {
        const cause = WasimoffError.from(error);
        if (isFinal(cause)) return session.close(new WasimoffError("unavailable", cause.message, { cause }));
        logger.debug("could not resume the session", { reason: cause.message });
      }
      await delay(backoff.next(), session.signal).catch(() => {}); // the loop's condition sees the end
    }
  };
  session.watch({
    detached: (cause) => {
      logger.debug("connection lost, resuming the session", { reason: cause.message });
      void redial();
    },
  });
}

/** Whether the broker has said that this session will never go on. */
function isFinal({ code }: WasimoffError): boolean {
  return code === "not_found" || code === "unauthenticated" || code === "permission_denied" ||
    code === "unimplemented";
}
