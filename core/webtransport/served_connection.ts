/** One connection of a server: its requests, and their sessions. */

import { httpStatus, WasimoffError } from "../errors.ts";
import { unlessAborted } from "../unless_aborted.ts";
import { Http3Connection } from "./http3_connection.ts";
import { Http3Error } from "./http3_error.ts";
import type { WebTransportLimits } from "./limits.ts";
import { chooseProtocol, formatProtocols } from "./protocol_header.ts";
import type { QuicConnection, StreamErrorCode } from "./quic_connection.ts";
import { DRAFT_OF_ANSWER, PROTOCOL_CHOSEN, type WebTransportRequest } from "./request.ts";
import { RequestStream } from "./request_stream.ts";
import type { Refusal, WebTransportRoute } from "./route.ts";
import { WebTransportSession } from "./session.ts";

export interface ServedOptions {
  readonly routes: ReadonlyMap<string, WebTransportRoute>;
  readonly limits: WebTransportLimits;
  readonly streamErrorCode: StreamErrorCode;
  readonly onError: (error: unknown) => void;
}

/** What a session is closed with when its handler fails. */
const HANDLER_FAILED = { closeCode: 1, reason: "the server failed" };
const SHUTTING_DOWN = "server is shutting down";

export class ServedConnection {
  readonly #connection: Http3Connection;
  readonly #options: ServedOptions;
  /** Aborted when the connection ends or shall end. */
  readonly #stopped = new AbortController();
  #unanswered = 0;
  /** Requests that may become sessions. */
  #admitted = 0;
  #nextRequest = 0n;

  constructor(quic: QuicConnection, options: ServedOptions) {
    this.#options = options;
    const { limits, streamErrorCode } = options;
    this.#connection = new Http3Connection(quic, {
      limits,
      streamErrorCode,
      lingerMs: limits.lingerMs,
      onRequest: (stream, reader, firstType) =>
        void this.#serve(new RequestStream(stream, reader, { firstType, limits })),
    });
  }

  /** Never rejects. */
  async run(signal?: AbortSignal): Promise<void> {
    const onAbort = () => void this.#stop();
    this.#connection.start();
    if (signal?.aborted) onAbort();
    else signal?.addEventListener("abort", onAbort, { once: true });
    const cause = await this.#connection.ended;
    signal?.removeEventListener("abort", onAbort);
    this.#stopped.abort(new WasimoffError("unavailable", "connection has ended"));
    if (cause instanceof Http3Error || (cause instanceof WasimoffError && cause.code === "internal")) {
      this.#options.onError(cause);
    }
  }

  async #stop(): Promise<void> {
    this.#connection.goAway(this.#nextRequest);
    this.#stopped.abort(new WasimoffError("unavailable", SHUTTING_DOWN));
    await this.#connection.closeSessions({ closeCode: 0, reason: SHUTTING_DOWN });
    this.#connection.close("H3_NO_ERROR", SHUTTING_DOWN);
  }

  /** Never rejects. */
  async #serve(request: RequestStream): Promise<void> {
    this.#unanswered++;
    this.#connection.hold();
    if (request.id >= this.#nextRequest) this.#nextRequest = request.id + 4n;
    try {
      const status = await this.#answer(request);
      if (status === undefined) return;
      void this.#connection.remove(request.id);
      await request.refuse(status);
    } finally {
      this.#unanswered--;
      void this.#connection.release();
    }
  }

  /** The status with which the request is to be refused; undefined when it is answered or given up. */
  async #answer(request: RequestStream): Promise<number | undefined> {
    const { limits, routes } = this.#options;
    try {
      if (this.#unanswered > limits.maxUnansweredRequests) return 429;
      const { path, session } = await request.read();
      await this.#connection.settings;
      const route = routes.get(path);
      if (route === undefined) return 404;
      if (session === undefined) return 501;
      if (this.#connection.goingAway) return 503;
      if (this.#connection.sessionCount + this.#admitted >= limits.maxSessions) return 429;
      return await this.#admit(request, route, session);
    } catch (error) {
      return this.#failed(request, error);
    }
  }

  async #admit(
    request: RequestStream,
    route: WebTransportRoute,
    asked: WebTransportRequest,
  ): Promise<number | undefined> {
    this.#admitted++;
    try {
      const refusal = await this.#authorize(route, asked);
      if (refusal !== undefined && "status" in refusal) return refusal.status;
      await this.#open(request, { asked, route, refusal });
      return undefined;
    } finally {
      this.#admitted--;
    }
  }

  async #authorize(route: WebTransportRoute, request: WebTransportRequest): Promise<Refusal | undefined> {
    if (route.authorize === undefined) return undefined;
    const late = new AbortController();
    const timer = setTimeout(
      () => late.abort(new WasimoffError("deadline_exceeded", "authorize took too long")),
      this.#options.limits.requestTimeoutMs,
    );
    const signal = AbortSignal.any([late.signal, this.#stopped.signal]);
    try {
      const { hostname, port } = this.#connection.quic.remoteAddr;
      const answer = route.authorize(request, { remoteAddress: { hostname, port }, signal });
      return await unlessAborted(Promise.resolve(answer), signal) ?? undefined;
    } catch (error) {
      if (error instanceof WasimoffError) return { status: httpStatus(error.code) };
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  async #open(
    request: RequestStream,
    { asked, route, refusal }: {
      asked: WebTransportRequest;
      route: WebTransportRoute;
      refusal: { closeCode: number; reason: string } | undefined;
    },
  ): Promise<void> {
    const protocol = chooseProtocol(asked.protocols, route.protocols ?? []);
    const connect = await request.accept([
      DRAFT_OF_ANSWER,
      ...(protocol === "" ? [] : [[PROTOCOL_CHOSEN, formatProtocols([protocol])] as const]),
    ]);
    const session = new WebTransportSession({
      connection: this.#connection,
      connect,
      request: asked,
      protocol,
    });
    session.start();
    if (refusal !== undefined) session.close(refusal);
    else void this.#handle(route, session);
  }

  /** Never rejects. */
  async #handle(route: WebTransportRoute, session: WebTransportSession): Promise<void> {
    try {
      await route.handle(session, session.request);
    } catch (error) {
      if (!(error instanceof WasimoffError)) this.#options.onError(error);
      session.close(HANDLER_FAILED);
    }
  }

  #failed(request: RequestStream, error: unknown): number | undefined {
    if (error instanceof Http3Error) {
      if (error.scope === "connection") this.#connection.fail(error);
      else if (error.http3Name !== "H3_REQUEST_CANCELLED") return statusOf(error);
    } else if (this.#options.streamErrorCode(error) === undefined && this.#connection.isOpen) {
      this.#options.onError(error);
      return 500;
    }
    request.drop();
    return undefined;
  }
}

/** What a client is told about a request that is wrong. */
function statusOf({ http3Name }: Http3Error): number {
  if (http3Name === "H3_EXCESSIVE_LOAD") return 431;
  return http3Name === "H3_REQUEST_INCOMPLETE" ? 408 : 400;
}
