/** The server of the Brickchain tunneling proxy: its clients, and who of the public may ask them (brickchain.md). */

import { WasimoffError } from "../../errors.ts";
import type { Logger } from "../../log.ts";
import type { MessagePipe } from "../../protocol/messenger_v1.ts";
import { BrickchainClients } from "./brickchain_clients.ts";
import type { RegistrationRequest } from "./brickchain_document.ts";
import { brickchainClientId } from "./brickchain_id.ts";
import { BrickchainLink, type Registered } from "./brickchain_link.ts";
import { verifyMandate } from "./brickchain_mandate.ts";
import { BrickchainRateLimit } from "./brickchain_rate_limit.ts";
import { BrickchainReplays } from "./brickchain_replays.ts";

/** Longest `session` that is taken; its hash is what counts. */
const MAX_SESSION_CHARACTERS = 1_024;

export interface BrickchainServerOptions {
  /** The public host name of a client; empty without a domain for tunnels. */
  readonly hostname: (id: string) => string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly newId: () => string;
  readonly logger: Logger;
}

export class BrickchainServer {
  readonly #options: BrickchainServerOptions;
  readonly #clients = new BrickchainClients<BrickchainLink>();
  readonly #links = new Set<BrickchainLink>();
  readonly #replays = new BrickchainReplays();
  readonly #rateLimit = new BrickchainRateLimit();

  constructor(options: BrickchainServerOptions) {
    this.#options = options;
  }

  /** Ids that are registered. */
  get size(): number {
    return this.#clients.size;
  }

  /** Control connections, registered or not. */
  get connections(): number {
    return this.#links.size;
  }

  has(id: string): boolean {
    return this.#clients.has(id);
  }

  /** Takes a control connection over. `isOurs` says of scheme, host and port whether a token for them is for us. */
  accept(pipe: MessagePipe, isOurs: (origin: string) => boolean): void {
    const { now, newId, logger } = this.#options;
    const link = new BrickchainLink({
      pipe,
      register: (request, link) => this.#register(request, { link, isOurs }),
      ended: (ids, link) => {
        for (const id of ids) this.#clients.remove(id, link);
        this.#links.delete(link);
      },
      now,
      newId,
      logger,
    });
    this.#links.add(link);
  }

  /** The client for one request of the public, which is counted. Throws `not_found` or `resource_exhausted`. */
  admit(id: string): BrickchainLink {
    const link = this.#clients.find(id);
    if (link === null) {
      const message = "failed to get client: failed to get client from cache: Key not found"; // as existing servers
      throw new WasimoffError("not_found", message);
    }
    if (!this.#rateLimit.take(id, this.#options.now())) {
      throw new WasimoffError("resource_exhausted", "Too many requests");
    }
    return link;
  }

  /** Says goodbye to all clients. */
  close(reason: string): void {
    for (const link of this.#links) link.close(reason);
  }

  async #register(
    { mandateToken, session }: RegistrationRequest,
    { link, isOurs }: { link: BrickchainLink; isOurs: (origin: string) => boolean },
  ): Promise<Registered> {
    if (session.length > MAX_SESSION_CHARACTERS) {
      throw new WasimoffError(
        "invalid_argument",
        `session has more than ${MAX_SESSION_CHARACTERS} characters`,
      );
    }
    const now = this.#options.now();
    const { publicKey, expiresAt, nonce } = await verifyMandate(mandateToken, { isOurs, now });
    if (!this.#replays.claim(nonce, { owner: link, expiresAt }, now)) {
      throw new WasimoffError(
        "unauthenticated",
        "mandate token was used on another connection: make a new one",
      );
    }
    const id = await brickchainClientId(publicKey, session);
    this.#clients.add(id, link);
    return { id, hostname: this.#options.hostname(id) };
  }
}
