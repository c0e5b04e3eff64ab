/** The accepting side of sessions: new ones, and those that come back after a broken connection. */

import { equalInConstantTime } from "../constant_time.ts";
import { WasimoffError } from "../errors.ts";
import type { Logger } from "../log.ts";
import type { Hello } from "../protocol/gen/wasimoff/v2/wasimoff_pb.ts";
import { MAX_SESSIONS, MAX_SESSIONS_PER_PEER, PROTOCOL_VERSION } from "../protocol/limits.ts";
import type { Connection } from "./connection.ts";
import { awaitHello, sendWelcome } from "./handshake.ts";
import { Session } from "./session.ts";

export interface AcceptorOptions {
  /** Program and version, told to peers. */
  readonly agent: string;
  readonly capabilities: readonly string[];
  readonly logger: Logger;
  /** Default MAX_SESSIONS. */
  readonly maxSessions?: number;
  /** Default MAX_SESSIONS_PER_PEER. */
  readonly maxSessionsPerPeer?: number;
}

export interface AcceptOptions {
  /** A session is resumed where it was opened: a provider's never as a client's. */
  readonly endpoint: string;
  readonly leaseMs: number;
  /** Whose sessions are counted together; null for somebody who may have any number. */
  readonly peer: string | null;
  /** Throws `unauthenticated` or `permission_denied` for a peer that may not come in; resumes are asked too. */
  authenticate(hello: Hello): void;
  /** A new session, already attached. What it throws ends the session. */
  opened(session: Session, hello: Hello): void;
}

interface Entry {
  readonly session: Session;
  readonly secret: Uint8Array;
  readonly endpoint: string;
}

/** Knows every live session by its id. */
export class SessionAcceptor {
  readonly #options: AcceptorOptions;
  readonly #sessions = new Map<string, Entry>();
  /** How many each peer has. */
  readonly #perPeer = new Map<string, number>();

  constructor(options: AcceptorOptions) {
    this.#options = options;
  }

  /** Sessions that live, connected or not. */
  get size(): number {
    return this.#sessions.size;
  }

  /** Whether every session has handed over what it was given (see `Session.flushed`). */
  get flushed(): boolean {
    for (const { session } of this.#sessions.values()) if (!session.flushed) return false;
    return true;
  }

  /** Reads the hello and opens or resumes a session. Never rejects: a bad peer is refused and logged. */
  async accept(connection: Connection, options: AcceptOptions): Promise<void> {
    try {
      await awaitHello(connection, (hello) => this.#onHello(connection, hello, options));
    } catch (error) {
      const { code, message } = WasimoffError.from(error);
      this.#options.logger.debug("refused a connection", { code, reason: message });
    }
  }

  /** Ends every session with a goodbye. */
  close(cause: WasimoffError): void {
    for (const { session } of this.#sessions.values()) session.close(cause);
  }

  #onHello(connection: Connection, hello: Hello, options: AcceptOptions): void {
    if (hello.version !== PROTOCOL_VERSION) {
      throw new WasimoffError(
        "unimplemented",
        `version ${hello.version} is not spoken here: use ${PROTOCOL_VERSION}`,
      );
    }
    options.authenticate(hello);
    if (hello.resume === undefined) this.#open(connection, hello, options);
    else this.#resume(connection, hello.resume, options);
  }

  #open(connection: Connection, hello: Hello, options: AcceptOptions): void {
    this.#checkRoom(options.peer);
    const id = crypto.getRandomValues(new Uint8Array(16));
    const secret = crypto.getRandomValues(new Uint8Array(32));
    const session = new Session({ side: "acceptor", leaseMs: options.leaseMs });
    const key = id.toHex();
    this.#sessions.set(key, { session, secret, endpoint: options.endpoint });
    this.#count(options.peer, 1);
    session.signal.addEventListener("abort", () => {
      this.#sessions.delete(key);
      this.#count(options.peer, -1);
    }, { once: true });
    this.#welcome(connection, session, { session: id, secret, leaseMs: options.leaseMs });
    session.attach(connection, 0);
    try {
      options.opened(session, hello);
    } catch (error) { // too late for a refusal
      const cause = WasimoffError.from(error, "internal");
      this.#options.logger.debug("could not serve a session", { code: cause.code, reason: cause.message });
      session.close(cause);
    }
  }

  #checkRoom(peer: string | null): void {
    const { maxSessions = MAX_SESSIONS, maxSessionsPerPeer = MAX_SESSIONS_PER_PEER } = this.#options;
    if (this.#sessions.size >= maxSessions) {
      throw new WasimoffError("resource_exhausted", "broker has too many sessions: try again later");
    }
    if (peer !== null && (this.#perPeer.get(peer) ?? 0) >= maxSessionsPerPeer) {
      throw new WasimoffError("resource_exhausted", "your address has too many sessions: try again later");
    }
  }

  #count(peer: string | null, change: 1 | -1): void {
    if (peer === null) return;
    const sessions = (this.#perPeer.get(peer) ?? 0) + change;
    if (sessions === 0) this.#perPeer.delete(peer);
    else this.#perPeer.set(peer, sessions);
  }

  #resume(connection: Connection, resume: NonNullable<Hello["resume"]>, options: AcceptOptions): void {
    const entry = this.#sessions.get(resume.session.toHex());
    if (
      entry === undefined || entry.endpoint !== options.endpoint ||
      !equalInConstantTime(resume.secret, entry.secret)
    ) {
      throw new WasimoffError(
        "not_found",
        "session is unknown: it has ended, or the broker was started anew",
      );
    }
    const received = Number(resume.received);
    if (!entry.session.canHaveReceived(received)) {
      throw new WasimoffError("invalid_argument", `session cannot go on after ${received} frames`);
    }
    this.#welcome(connection, entry.session, { leaseMs: options.leaseMs });
    entry.session.attach(connection, received);
  }

  #welcome(
    connection: Connection,
    session: Session,
    fields: { session?: Uint8Array; secret?: Uint8Array; leaseMs: number },
  ): void {
    const { agent, capabilities } = this.#options;
    sendWelcome(connection, {
      version: PROTOCOL_VERSION,
      agent,
      capabilities: [...capabilities],
      received: BigInt(session.received),
      ...fields,
    });
  }
}
