/** A tunnel client's end of one control connection to a Brickchain server (brickchain.md 2 to 4). */

import { WasimoffError } from "../../errors.ts";
import type { MessagePipe } from "../../protocol/messenger_v1.ts";
import { decodeDocument } from "./brickchain_decode.ts";
import {
  type BrickchainDocument,
  encodeDocument,
  type HttpRequestDocument,
  type WsRequest,
} from "./brickchain_document.ts";
import { forwardableHeaders } from "./brickchain_headers.ts";
import type { BrickchainLane } from "./brickchain_lane.ts";
import type { Registered } from "./brickchain_link.ts";
import { joinTarget } from "./brickchain_path.ts";
import { BrickchainRelay } from "./brickchain_relay.ts";
import { MAX_RELAYS } from "./brickchain_relays.ts";
import { answerRequest, type LocalService } from "./brickchain_service.ts";

/** Nothing for so long: the connection is given up. Servers ping after 10 s. */
export const WATCHDOG_MS = 20_000;
/** How long a server may take to register us. */
export const REGISTER_TIMEOUT_MS = 10_000;
/** Requests that are served at once: servers let 500 through within five minutes. What is beyond is not answered. */
const MAX_SERVED_CALLS = 512;

const CLOSE_NORMAL = 1000;
const CLOSE_GOING_AWAY = 1001;
/** Longest part of a server's refusal that is shown. */
const MAX_REASON_CHARACTERS = 300;

export interface BrickchainSessionOptions {
  readonly pipe: MessagePipe;
  readonly service: LocalService;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly newId: () => string;
}

export class BrickchainSession implements BrickchainLane {
  /** Resolves with the cause when it has ended. */
  readonly closed: Promise<WasimoffError>;
  readonly #options: BrickchainSessionOptions;
  readonly #relays = new Map<string, BrickchainRelay>();
  readonly #ended = Promise.withResolvers<WasimoffError>();
  readonly #stop = new AbortController();
  #registration: (PromiseWithResolvers<Registered> & { readonly id: string }) | null = null;
  #watchdog: ReturnType<typeof setTimeout>;
  #calls = 0;
  /** Answers go out in turn: not all that have waited at once, when there is room for one. */
  #sending: Promise<void> = Promise.resolve();

  constructor(options: BrickchainSessionOptions) {
    this.#options = options;
    this.closed = this.#ended.promise;
    this.#watchdog = this.#watch();
    options.pipe.start({
      onMessage: (message) => this.#onMessage(message),
      onClose: (cause) => this.#end(cause),
    });
  }

  get full(): boolean {
    return this.#options.pipe.full;
  }

  drained(): Promise<void> {
    return this.#options.pipe.drained();
  }

  now(): number {
    return this.#options.now();
  }

  send(frame: string): void {
    this.#options.pipe.send(frame);
  }

  /**
   * Proves our key. Rejects with `unauthenticated` when the server says anything but yes, with `deadline_exceeded`
   * when it says nothing, and with the cause when the connection ends. To be called once.
   */
  async register(mandateToken: string, session: string): Promise<Registered> {
    const id = this.#options.newId();
    const registration = { id, ...Promise.withResolvers<Registered>() };
    this.#registration = registration;
    void this.closed.then(registration.reject);
    const late = new WasimoffError("deadline_exceeded", "server does not answer the registration");
    const timer = setTimeout(() => registration.reject(late), REGISTER_TIMEOUT_MS);
    this.#send({ kind: "registration-request", id, mandateToken, session });
    return await registration.promise.finally(() => {
      clearTimeout(timer);
      this.#registration = null;
    });
  }

  /** Says goodbye; the server ends the connection. */
  disconnect(): void {
    this.#send({ kind: "disconnect", id: this.#options.newId() });
    this.#options.pipe.close(CLOSE_NORMAL, "");
  }

  #send(document: BrickchainDocument): void {
    this.send(encodeDocument(document, this.now()));
  }

  #watch(): ReturnType<typeof setTimeout> {
    return setTimeout(() => {
      this.#end(new WasimoffError("unavailable", `server was silent for ${WATCHDOG_MS / 1000} s`));
      this.#options.pipe.close(CLOSE_GOING_AWAY, "nothing was heard");
    }, WATCHDOG_MS);
  }

  #onMessage(message: Uint8Array | string): void {
    if (this.#stop.signal.aborted || typeof message !== "string") return;
    clearTimeout(this.#watchdog);
    this.#watchdog = this.#watch();
    const document = decodeDocument(message);
    switch (document.kind) {
      case "registration-response": {
        if (document.id !== this.#registration?.id) return;
        return this.#registration.resolve({ id: document.keyID, hostname: document.hostname });
      }
      case "http-request":
        return void this.#answer(document);
      case "ws-request":
        return void this.#open(document);
      case "ws-message":
        return this.#relays.get(document.id)?.fromTunnel(document);
      case "ws-teardown":
        return this.#relays.get(document.id)?.finish(CLOSE_NORMAL, "");
      case "invalid": {
        // Servers say in plain text what is wrong with a registration.
        const reason = message.slice(0, MAX_REASON_CHARACTERS).trim();
        this.#registration?.reject(new WasimoffError("unauthenticated", `server refused us: ${reason}`));
      }
    }
  }

  async #answer(document: HttpRequestDocument): Promise<void> {
    if (this.#calls >= MAX_SERVED_CALLS) return;
    this.#calls++;
    const { service, now } = this.#options;
    const frame = await answerRequest(document, service, { now, signal: this.#stop.signal });
    this.#sending = this.#sending.then(async () => {
      await this.drained();
      this.#calls--;
      this.send(frame);
    });
  }

  async #open({ id, url, query, headers }: WsRequest): Promise<void> {
    if (this.#relays.has(id)) return;
    const relay = new BrickchainRelay(id, this, () => this.#relays.delete(id));
    const target = joinTarget(url, query);
    const forwarded = forwardableHeaders(headers);
    try {
      if (this.#relays.size >= MAX_RELAYS) throw new Error("too many WebSockets are open");
      if (target === null || forwarded === null) throw new Error("request cannot be read");
      this.#relays.set(id, relay);
      const request = { target, headers: forwarded };
      relay.attach(await this.#options.service.open(request, relay, this.#stop.signal));
      this.#send({ kind: "ws-response", id, ok: true, error: "" });
      relay.open();
    } catch (error) {
      this.#send({ kind: "ws-response", id, ok: false, error: WasimoffError.from(error).message });
      relay.finish(CLOSE_NORMAL, "");
    }
  }

  #end(cause: WasimoffError): void {
    if (this.#stop.signal.aborted) return;
    clearTimeout(this.#watchdog);
    this.#stop.abort(cause);
    this.#ended.resolve(cause);
    for (const relay of this.#relays.values()) relay.finish(CLOSE_GOING_AWAY, "tunnel is gone");
  }
}
