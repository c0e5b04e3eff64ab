/** Requests, responses and events between us and the existing programs, over whole messages (wasimoff-v1 2). */

import { WasimoffError } from "../errors.ts";
import {
  decodeEnvelope,
  encodeEnvelope,
  type EncodingV1,
  type EnvelopeInit,
  type EnvelopeV1,
  type PayloadV1,
} from "./envelope_v1.ts";

/** What a messenger needs from below: whole messages in order, text in JSON and bytes in binary. */
export interface MessagePipe {
  /** Never blocks and never throws; dropped when the pipe has ended. */
  send(message: Uint8Array | string): void;
  /** Much is still unsent: large messages should wait for `drained`. */
  readonly full: boolean;
  /** Resolves when the pipe is not full any more, or has ended. */
  drained(): Promise<void>;
  /** Begins delivery; what came earlier is held. */
  start(handler: MessagePipeHandler): void;
  /** Closes with a code of WebSockets, which the specification fixes, and a reason that may be cut. */
  close(code: number, reason: string): void;
}

export interface MessagePipeHandler {
  onMessage(message: Uint8Array | string): void;
  /** The peer has fallen silent, or was heard again. */
  onSuspect?(suspect: boolean): void;
  /** Once, whoever closed; nothing comes after it. */
  onClose(cause: WasimoffError): void;
}

export interface MessengerV1Handler {
  /** Resolves with the payload of the response; what it throws becomes the error of the envelope, as text. */
  request(payload: PayloadV1, signal: AbortSignal): Promise<PayloadV1>;
  event(payload: PayloadV1): void;
  /** The peer has been silent for a while and gets no new work, or was heard again. */
  suspected?(suspect: boolean): void;
}

/** Requests of a peer that may be unanswered at once; the specification sets no bound. */
export const MAX_SERVED_REQUESTS_V1 = 4_096;
/** Text frames to a binary transport and the like (wasimoff-v1 3.3). */
const CLOSE_UNSUPPORTED = 1003;
/** Every other end with a cause (wasimoff-v1 3.4). */
const CLOSE_FAILED = 1011;
const CLOSE_NORMAL = 1000;

interface Pending {
  readonly resolve: (payload: PayloadV1) => void;
  readonly reject: (cause: WasimoffError) => void;
}

export class MessengerV1 {
  readonly #pipe: MessagePipe;
  readonly #encoding: EncodingV1;
  readonly #handler: MessengerV1Handler;
  readonly #pending = new Map<bigint, Pending>();
  readonly #ended = new AbortController();
  #serving = 0;
  /** Messages that wait until the pipe has room, one after the other. */
  #waiting = 0;
  #turn: Promise<void> = Promise.resolve();
  /** Requests and events are counted apart, from 1: a 0 might be taken for a number that is missing. */
  #lastRequest = 0n;
  #lastEvent = 0n;

  constructor(pipe: MessagePipe, encoding: EncodingV1, handler: MessengerV1Handler) {
    this.#pipe = pipe;
    this.#encoding = encoding;
    this.#handler = handler;
    pipe.start({
      onMessage: (message) => this.#onMessage(message),
      onSuspect: (suspect) => handler.suspected?.(suspect),
      onClose: (cause) => this.#end(cause),
    });
  }

  /** Aborted when the connection has ended, with the cause. */
  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  /**
   * Sends a request, behind others while the peer reads slowly, and resolves with the payload of its response.
   * Rejects with `unknown` and the peer's text for an error of the envelope, with the cause when the connection ends,
   * and with the signal's reason when it is aborted: the peer is not told, as there is no message for that, and its
   * answer is dropped.
   */
  async request(payload: PayloadV1, signal?: AbortSignal): Promise<PayloadV1> {
    if (this.signal.aborted) throw this.signal.reason;
    if (signal?.aborted) throw WasimoffError.from(signal.reason, "canceled");
    const sequence = ++this.#lastRequest;
    const { promise, resolve, reject } = Promise.withResolvers<PayloadV1>();
    const onAbort = () => reject(WasimoffError.from(signal!.reason, "canceled"));
    signal?.addEventListener("abort", onAbort, { once: true });
    this.#pending.set(sequence, { resolve, reject });
    try {
      const waits = this.#sendInTurn(
        { type: "request", sequence, payload },
        () => this.#pending.has(sequence),
      );
      waits?.catch(reject);
      return await promise;
    } finally {
      this.#pending.delete(sequence);
      signal?.removeEventListener("abort", onAbort);
    }
  }

  emit(payload: PayloadV1): void {
    this.#send({ type: "event", sequence: ++this.#lastEvent, payload });
  }

  /** Ends the connection; without a cause in the orderly way of a provider or client that leaves. */
  close(reason: string, cause?: WasimoffError): void {
    this.#end(cause ?? new WasimoffError("canceled", reason));
    this.#pipe.close(cause === undefined ? CLOSE_NORMAL : CLOSE_FAILED, reason);
  }

  #onMessage(message: Uint8Array | string): void {
    let envelope: EnvelopeV1;
    try {
      envelope = decodeEnvelope(this.#encoding, message);
    } catch (error) {
      const cause = WasimoffError.from(error, "invalid_argument");
      const wrongOpcode = (typeof message === "string") !== (this.#encoding === "json");
      this.#end(cause);
      return this.#pipe.close(wrongOpcode ? CLOSE_UNSUPPORTED : CLOSE_FAILED, cause.message);
    }
    switch (envelope.type) {
      case "request":
        return void this.#serve(envelope);
      case "response":
        return this.#onResponse(envelope);
      case "event": // one of a type that nobody knows is ignored
        if (envelope.payload !== null) this.#handler.event(envelope.payload);
        return;
      default:
        return envelope.type satisfies never;
    }
  }

  async #serve(envelope: EnvelopeV1): Promise<void> {
    // A missing number is read as 0, as peers in TypeScript do; they also begin to count there.
    const sequence = envelope.sequence ?? 0n;
    this.#serving++;
    try {
      const payload = await this.#handler.request(this.#admit(envelope), this.signal);
      await this.#sendInTurn({ type: "response", sequence, payload });
    } catch (error) {
      const { message } = WasimoffError.from(error, "internal");
      this.#send({ type: "response", sequence, error: message });
    } finally {
      this.#serving--;
    }
  }

  #admit({ payload, unknownPayload }: EnvelopeV1): PayloadV1 {
    if (unknownPayload !== null) throw new WasimoffError("unimplemented", "unknown payload type");
    if (payload === null) throw new WasimoffError("invalid_argument", "cannot unpack empty payload");
    if (this.#serving > MAX_SERVED_REQUESTS_V1) {
      throw new WasimoffError("resource_exhausted", "429: Queue Full");
    }
    return payload;
  }

  #onResponse({ sequence, error, payload }: EnvelopeV1): void {
    // What nobody waits for any more is dropped: an answer to a lost attempt, or a second one.
    const pending = this.#pending.get(sequence ?? 0n);
    if (pending === undefined) return;
    if (error !== null) pending.reject(new WasimoffError("unknown", error || "peer gave an empty error"));
    else if (payload === null) pending.reject(new WasimoffError("internal", "peer answered nothing known"));
    else pending.resolve(payload);
  }

  #send(envelope: EnvelopeInit): void {
    if (!this.signal.aborted) this.#pipe.send(encodeEnvelope(this.#encoding, envelope));
  }

  /** Sends at once, or when the messages before it have left; undefined when that was at once. */
  #sendInTurn(envelope: EnvelopeInit, wanted: () => boolean = () => true): Promise<void> | undefined {
    if (this.#waiting === 0 && !this.#pipe.full) return void this.#send(envelope);
    this.#waiting++;
    const turn = this.#turn.then(() => this.#pipe.drained()).then(() => {
      this.#waiting--;
      if (wanted()) this.#send(envelope);
    });
    this.#turn = turn.catch(() => {});
    return turn;
  }

  #end(cause: WasimoffError): void {
    if (this.signal.aborted) return;
    this.#ended.abort(cause);
    for (const { reject } of this.#pending.values()) reject(cause);
  }
}
