/** Requests, responses, cancellation and events over a lane of messages; the same for every transport. */

import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { cutText } from "../cut_text.ts";
import { codeFromNumber, codeNumber, WasimoffError } from "../errors.ts";
import { unlessAborted } from "../unless_aborted.ts";
import {
  type Cancel,
  type Error as WireError,
  type Event,
  type EventSchema,
  MessageSchema,
  type Request,
  type RequestSchema,
  type Response,
  type ResponseSchema,
} from "./gen/wasimoff/v2/wasimoff_pb.ts";
import { CANCEL_GRACE_MS, MAX_PENDING_REQUESTS, MAX_REASON_BYTES, MAX_TIMER_MS } from "./limits.ts";

/** What a messenger needs from below: whole messages, in order, nothing twice. */
export interface MessageLane {
  /** Throws when the lane has ended or the message is too large. */
  send(message: Uint8Array): void;
  /** Whether further requests should wait. */
  readonly congested: boolean;
  writable(): Promise<void>;
  receiveMessages(onMessage: (message: Uint8Array) => void): void;
  /** Aborted at the end, with the cause. */
  readonly signal: AbortSignal;
}

export type Method = Exclude<Request["method"], { case: undefined }>;
export type MethodInit = Exclude<
  NonNullable<MessageInitShape<typeof RequestSchema>["method"]>,
  { case: undefined }
>;
export type Result = Exclude<Response["result"], { case: undefined }>;
export type ResultInit = Exclude<
  NonNullable<MessageInitShape<typeof ResponseSchema>["result"]>,
  { case: undefined }
>;
export type EventKind = Exclude<Event["kind"], { case: undefined }>;
export type EventInit = Exclude<
  NonNullable<MessageInitShape<typeof EventSchema>["kind"]>,
  { case: undefined }
>;

export interface RequestContext {
  readonly id: number;
  /** Aborted by the requester's cancel, by its timeout, and by the end of the lane. */
  readonly signal: AbortSignal;
}

/** The side that answers. What `request` throws becomes the error of the response. */
export interface MessengerHandler {
  request(method: Method, context: RequestContext): Promise<ResultInit>;
  event(event: EventKind): void;
}

export interface RequestOptions {
  /** Told to the peer, which ends the request with `deadline_exceeded`. 0 is none. */
  readonly timeoutMs?: number;
  /**
   * Aborting asks the peer to cancel; the promise still settles with the peer's answer, or after
   * CANCEL_GRACE_MS with the signal's reason.
   */
  readonly signal?: AbortSignal;
  /** Called within the sending, with the request's id. */
  readonly sent?: (id: number) => void;
}

type Answer = { readonly result: ResultInit } | { readonly error: { code: number; message: string } };

interface Pending {
  readonly resolve: (result: Result) => void;
  readonly reject: (cause: WasimoffError) => void;
}

export class Messenger {
  readonly #lane: MessageLane;
  readonly #handler: MessengerHandler;
  readonly #pending = new Map<number, Pending>();
  readonly #serving = new Map<number, AbortController>();
  #lastId = 0;

  constructor(lane: MessageLane, handler: MessengerHandler) {
    this.#lane = lane;
    this.#handler = handler;
    lane.signal.addEventListener("abort", () => this.#end(WasimoffError.from(lane.signal.reason)), {
      once: true,
    });
    lane.receiveMessages((message) => this.#onMessage(message));
  }

  /** Requests that the peer has not answered yet. */
  get pending(): number {
    return this.#pending.size;
  }

  /** Sends a request and resolves with its result, or rejects with the peer's error or the lane's cause. */
  async request(method: MethodInit, options: RequestOptions = {}): Promise<Result> {
    const { signal, timeoutMs = 0, sent } = options;
    signal?.throwIfAborted();
    while (this.#lane.congested) {
      const room = this.#lane.writable();
      await (signal === undefined ? room : unlessAborted(room, signal));
      signal?.throwIfAborted();
    }
    const id = this.#nextId();
    this.#send({ case: "request", value: { id, timeoutMs: wireTimeout(timeoutMs), method } });
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    this.#pending.set(id, { resolve, reject });
    sent?.(id);
    if (signal === undefined) return await promise;
    return await this.#cancellable(id, promise, signal);
  }

  /** Tells the peer, if the lane has not ended; throws when the event is too large. */
  emit(kind: EventInit): void {
    const failure = this.#trySend({ case: "event", value: { kind } });
    if (failure !== null) throw failure;
  }

  async #cancellable(id: number, promise: Promise<Result>, signal: AbortSignal): Promise<Result> {
    let grace: ReturnType<typeof setTimeout> | undefined;
    const cancel = () => {
      const reason = WasimoffError.from(signal.reason, "canceled");
      grace = setTimeout(() => this.#settle(id)?.reject(reason), CANCEL_GRACE_MS);
      this.#trySend({ case: "cancel", value: { id, reason: wireError(reason) } });
    };
    if (signal.aborted) cancel(); // within `sent`
    else signal.addEventListener("abort", cancel, { once: true });
    try {
      return await promise;
    } finally {
      clearTimeout(grace);
      signal.removeEventListener("abort", cancel);
    }
  }

  #onMessage(bytes: Uint8Array): void {
    const { body } = decodeMessage(bytes);
    switch (body.case) {
      case "request":
        return void this.#serve(body.value);
      case "response":
        return this.#onResponse(body.value);
      case "cancel":
        return this.#onCancel(body.value);
      case "event": // of a kind that is unknown here: ignored
        if (body.value.kind.case !== undefined) this.#handler.event(body.value.kind);
        return;
      case undefined: // a kind of message from the future: ignored
        return;
      default:
        return body satisfies never;
    }
  }

  #onResponse({ id, error, result }: Response): void {
    const pending = this.#settle(id);
    if (pending === undefined) return; // its requester has given up waiting
    if (error !== undefined) pending.reject(errorOf(error));
    else if (result.case !== undefined) pending.resolve(result);
    else pending.reject(new WasimoffError("unimplemented", "response has no result that is known here"));
  }

  #onCancel({ id, reason }: Cancel): void {
    const cause = reason === undefined ? new WasimoffError("canceled", "canceled") : errorOf(reason);
    this.#serving.get(id)?.abort(cause);
  }

  async #serve({ id, timeoutMs, method }: Request): Promise<void> {
    const controller = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let answer: Answer;
    try {
      this.#admit(id, controller);
      if (timeoutMs > 0) {
        const cause = new WasimoffError("deadline_exceeded", `request exceeded its ${timeoutMs} ms`);
        timer = setTimeout(() => controller.abort(cause), Math.min(timeoutMs, MAX_TIMER_MS));
      }
      if (method.case === undefined) throw new WasimoffError("unimplemented", "request is not known here");
      answer = { result: await this.#handler.request(method, { id, signal: controller.signal }) };
    } catch (error) {
      answer = { error: wireError(WasimoffError.from(error, "internal")) };
    }
    clearTimeout(timer);
    if (this.#serving.get(id) === controller) this.#serving.delete(id);
    const failure = this.#trySend({ case: "response", value: { id, ...answer } });
    if (failure === null) return;
    // A result that does not fit into a message.
    this.#trySend({ case: "response", value: { id, error: wireError(failure) } });
  }

  #admit(id: number, controller: AbortController): void {
    if (this.#serving.has(id)) {
      throw new WasimoffError("already_exists", `request ${id} is still being served`);
    }
    if (this.#serving.size >= MAX_PENDING_REQUESTS) {
      throw new WasimoffError(
        "resource_exhausted",
        `more than ${MAX_PENDING_REQUESTS} requests are unanswered`,
      );
    }
    this.#serving.set(id, controller);
  }

  #nextId(): number {
    do this.#lastId = this.#lastId % 0xffff_ffff + 1; while (this.#pending.has(this.#lastId));
    return this.#lastId;
  }

  #settle(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    return pending;
  }

  #send(body: NonNullable<MessageInitShape<typeof MessageSchema>["body"]>): void {
    this.#lane.send(toBinary(MessageSchema, create(MessageSchema, { body })));
  }

  /** Sends, or returns why it could not; nobody misses what a lane that has ended does not carry. */
  #trySend(body: NonNullable<MessageInitShape<typeof MessageSchema>["body"]>): WasimoffError | null {
    if (this.#lane.signal.aborted) return null;
    try {
      this.#send(body);
      return null;
    } catch (error) {
      return this.#lane.signal.aborted ? null : WasimoffError.from(error, "internal");
    }
  }

  #end(cause: WasimoffError): void {
    for (const controller of this.#serving.values()) controller.abort(cause);
    for (const { reject } of this.#pending.values()) reject(cause);
    this.#serving.clear();
    this.#pending.clear();
  }
}

function decodeMessage(bytes: Uint8Array) {
  try {
    return fromBinary(MessageSchema, bytes);
  } catch (cause) {
    throw new WasimoffError("invalid_argument", "received a message that cannot be decoded", { cause });
  }
}

function wireError({ code, message }: WasimoffError): { code: number; message: string } {
  return { code: codeNumber(code), message: cutText(message, MAX_REASON_BYTES) };
}

/** Whole milliseconds that fit into the field. */
function wireTimeout(timeoutMs: number): number {
  return Math.min(Math.ceil(timeoutMs), MAX_TIMER_MS);
}

function errorOf({ code, message }: WireError): WasimoffError {
  return new WasimoffError(codeFromNumber(code), message);
}
