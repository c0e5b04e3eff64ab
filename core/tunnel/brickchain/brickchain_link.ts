/** A server's end of one control connection of a Brickchain client (brickchain.md 2 to 4). */

import { WasimoffError } from "../../errors.ts";
import type { Logger } from "../../log.ts";
import type { MessagePipe } from "../../protocol/messenger_v1.ts";
import { BrickchainCalls } from "./brickchain_calls.ts";
import { decodeDocument, MAX_DOCUMENT_CHARACTERS } from "./brickchain_decode.ts";
import {
  type BrickchainDocument,
  encodeDocument,
  type HttpRequestDocument,
  type HttpResponseDocument,
  type RegistrationRequest,
  type WsRequest,
} from "./brickchain_document.ts";
import type { BrickchainLane } from "./brickchain_lane.ts";
import type { BrickchainRelay, RelayedSocket } from "./brickchain_relay.ts";
import { BrickchainRelays } from "./brickchain_relays.ts";

/** After so long without a message to the client it gets a ping. */
export const PING_AFTER_MS = 10_000;
/** Who has not registered by then is closed. */
export const REGISTRATION_TIMEOUT_MS = 10_000;
/** Registrations of one connection, and those that may wait to be checked. */
export const MAX_REGISTRATIONS = 64;

/** Refused and unknown documents of one connection within REFUSALS_WINDOW_MS; who sends more is closed. */
export const MAX_REFUSALS = 256;
export const REFUSALS_WINDOW_MS = 10_000;

const CLOSE_NORMAL = 1000;
const CLOSE_GOING_AWAY = 1001;
const CLOSE_UNSUPPORTED = 1003;
const CLOSE_POLICY = 1008;

export interface BrickchainLinkOptions {
  readonly pipe: MessagePipe;
  /** Checks a registration and enters the link for it; rejects with what the client is told. */
  readonly register: (request: RegistrationRequest, link: BrickchainLink) => Promise<Registered>;
  /** The connection has ended: nobody may find it any more. */
  readonly ended: (ids: ReadonlySet<string>, link: BrickchainLink) => void;
  readonly now: () => number;
  readonly newId: () => string;
  readonly logger: Logger;
}

export interface Registered {
  readonly id: string;
  /** Empty without a domain. */
  readonly hostname: string;
}

export class BrickchainLink implements BrickchainLane {
  readonly #pipe: MessagePipe;
  readonly #options: BrickchainLinkOptions;
  readonly #calls = new BrickchainCalls();
  readonly #relays = new BrickchainRelays(this);
  readonly #ids = new Set<string>();
  readonly #deadline: ReturnType<typeof setTimeout>;
  #ping: ReturnType<typeof setTimeout>;
  /** Checked one after the other. */
  #registering: Promise<void> = Promise.resolve();
  #waitingRegistrations = 0;
  /** Requests go out in turn: not all that have waited at once, when there is room for one. */
  #sending: Promise<void> = Promise.resolve();
  #refusals = 0;
  #refusalsEndAt = 0;
  #suspect = false;
  #closed = false;

  constructor(options: BrickchainLinkOptions) {
    this.#options = options;
    this.#pipe = options.pipe;
    this.#deadline = setTimeout(() => this.#expire(), REGISTRATION_TIMEOUT_MS);
    this.#ping = this.#pingLater();
    this.#pipe.start({
      onMessage: (message) => this.#onMessage(message),
      onSuspect: (suspect) => this.#suspect = suspect,
      onClose: () => this.#end(),
    });
  }

  get suspect(): boolean {
    return this.#suspect;
  }

  /**
   * Asks the client. Rejects with `resource_exhausted` (too much is unanswered), `unavailable` (the client is gone),
   * `deadline_exceeded`, `out_of_range` or `data_loss` (an answer that is too large, or cannot be read).
   */
  async request(
    request: Omit<HttpRequestDocument, "kind" | "id">,
    signal: AbortSignal,
  ): Promise<HttpResponseDocument> {
    if (this.#closed) throw clientGone();
    if (this.#calls.full) throw new WasimoffError("resource_exhausted", "too many requests are unanswered");
    const id = this.#options.newId();
    const answer = this.#calls.answer(id, signal);
    const send = async () => {
      await this.drained();
      if (this.#calls.awaits(id)) this.#send({ kind: "http-request", id, ...request });
    };
    this.#sending = this.#sending.then(send);
    return await answer;
  }

  /** Whether one more WebSocket may be opened. */
  get opens(): boolean {
    return !this.#closed && !this.#relays.full;
  }

  /** Opens a WebSocket at the client for one of the public, which is paused. To be asked with `opens` before. */
  open(request: Omit<WsRequest, "kind" | "id">, socket: RelayedSocket): BrickchainRelay {
    const id = this.#options.newId();
    const relay = this.#relays.expect(id);
    relay.attach(socket);
    this.#send({ kind: "ws-request", id, ...request });
    return relay;
  }

  get full(): boolean {
    return this.#pipe.full;
  }

  drained(): Promise<void> {
    return this.#pipe.drained();
  }

  now(): number {
    return this.#options.now();
  }

  send(frame: string): void {
    if (this.#closed) return;
    this.#pipe.send(frame);
    clearTimeout(this.#ping);
    this.#ping = this.#pingLater();
  }

  /** Says goodbye. */
  close(reason: string): void {
    this.#hangUp(CLOSE_GOING_AWAY, reason);
  }

  #hangUp(code: number, reason: string): void {
    this.#end();
    this.#pipe.close(code, reason);
  }

  #send(document: BrickchainDocument): void {
    this.send(encodeDocument(document, this.now()));
  }

  #pingLater(): ReturnType<typeof setTimeout> {
    return setTimeout(() => this.#send({ kind: "ping" }), PING_AFTER_MS);
  }

  #onMessage(message: Uint8Array | string): void {
    if (typeof message !== "string") {
      return this.#hangUp(CLOSE_UNSUPPORTED, "documents come in text frames");
    }
    const document = decodeDocument(message);
    switch (document.kind) {
      case "registration-request":
        return this.#register(document);
      case "http-response":
        return this.#calls.settle(document);
      case "ws-response":
      case "ws-message":
      case "ws-teardown":
        return this.#relays.take(document);
      case "disconnect":
        return this.#hangUp(CLOSE_NORMAL, "");
      case "unknown":
        return this.#countRefusal();
      case "invalid":
        return this.#refuse(document.id, document.reason, message.length);
    }
  }

  /** Whoever waits for the document is told; a client that is not registered, as existing servers do. */
  #refuse(id: string, reason: string, characters: number): void {
    const { logger } = this.#options;
    logger.debug("document of a Brickchain client is refused", { reason, characters });
    const code = characters > MAX_DOCUMENT_CHARACTERS ? "out_of_range" : "data_loss";
    this.#calls.fail(id, new WasimoffError(code, `answer of the tunnel client is refused: ${reason}`));
    if (this.#ids.size === 0) this.send(`failed to read message: ${reason}`);
    this.#countRefusal();
  }

  /** What is of no use costs us as much as anything else, and a reply may be left unread. */
  #countRefusal(): void {
    const now = this.now();
    if (now >= this.#refusalsEndAt) {
      this.#refusals = 0;
      this.#refusalsEndAt = now + REFUSALS_WINDOW_MS;
    }
    if (++this.#refusals > MAX_REFUSALS) this.#hangUp(CLOSE_POLICY, "too many documents are refused");
  }

  #register(request: RegistrationRequest): void {
    if (this.#waitingRegistrations + this.#ids.size >= MAX_REGISTRATIONS) {
      this.send("failed to register: too many registrations on this connection");
      return this.#countRefusal();
    }
    this.#waitingRegistrations++;
    this.#registering = this.#registering.then(() => this.#check(request));
  }

  async #check(request: RegistrationRequest): Promise<void> {
    const { register, ended, logger } = this.#options;
    try {
      if (this.#closed) return;
      const { id, hostname } = await register(request, this);
      if (this.#closed) return ended(new Set([id]), this);
      clearTimeout(this.#deadline);
      this.#ids.add(id);
      this.#send({ kind: "registration-response", id: request.id, keyID: id, hostname });
    } catch (error) {
      if (!(error instanceof WasimoffError)) logger.error("registration failed", { error });
      const reason = error instanceof WasimoffError ? error.message : "the server failed";
      this.send(`failed to register: ${reason}`);
      this.#countRefusal();
    } finally {
      this.#waitingRegistrations--;
    }
  }

  #expire(): void {
    this.#hangUp(CLOSE_POLICY, `not registered within ${REGISTRATION_TIMEOUT_MS / 1000} s`);
  }

  #end(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#deadline);
    clearTimeout(this.#ping);
    this.#options.ended(this.#ids, this);
    this.#calls.failAll(clientGone());
    this.#relays.finishAll(CLOSE_GOING_AWAY, "tunnel client is gone");
  }
}

function clientGone(): WasimoffError {
  return new WasimoffError("unavailable", "tunnel client is gone");
}
