/** A request that names two streams of its session, one for each direction, whose bytes need not wait for the answer. */

import type { ByteDuplex } from "../byte_stream.ts";
import { WasimoffError } from "../errors.ts";
import { TUNNEL_OPEN_TIMEOUT_MS } from "../protocol/limits.ts";
import type { Messenger, MethodInit } from "../protocol/messenger.ts";
import type { Session } from "../session/session.ts";
import { unlessAborted } from "../unless_aborted.ts";

/** A stream under way: bytes flow, but nobody may be there yet. */
export interface OpeningStream {
  readonly duplex: ByteDuplex;
  /** Resolves when the service was reached; a rejection has ended both directions. */
  readonly reached: Promise<void>;
}

export interface StreamRequest {
  readonly method: (upstream: number, downstream: number) => MethodInit;
  /** Ends the attempt; a stream that was reached does not depend on it. */
  readonly signal: AbortSignal;
}

/** Resolves when the request is on its way; rejects when it could not be sent. */
export async function requestStreams(
  session: Session,
  messenger: Messenger,
  { method, signal }: StreamRequest,
): Promise<OpeningStream> {
  session.streams.checkRoom(2);
  const upstream = session.streams.openSend();
  const downstream = session.streams.openReceive();
  const sent = Promise.withResolvers<void>();
  const answered = async () => {
    using limit = new OpeningLimit(signal);
    try {
      // The first frame of a stream must come after the message that names it: bytes wait for `sent`.
      const request = messenger.request(method(upstream.id, downstream.id), {
        signal: limit.signal,
        sent: () => sent.resolve(),
      });
      const { case: kind } = await unlessAborted(request, limit.signal);
      if (kind !== "tunnelStreamOpened") throw new WasimoffError("internal", "answer is for another request");
    } catch (error) {
      const cause = WasimoffError.from(error);
      upstream.abort(cause);
      downstream.cancel(cause);
      sent.reject(cause);
      throw cause;
    }
  };
  const reached = answered();
  reached.catch(() => {}); // may come before anybody waits for it
  await sent.promise;
  return { duplex: { readable: downstream, writable: upstream }, reached };
}

/** Aborted by a signal, or after TUNNEL_OPEN_TIMEOUT_MS. */
class OpeningLimit implements Disposable {
  readonly #controller = new AbortController();
  readonly #given: AbortSignal;
  readonly #forward = () => this.#controller.abort(this.#given.reason);
  readonly #timer = setTimeout(() => {
    this.#controller.abort(
      new WasimoffError("unavailable", "service behind the tunnel was not reached in time"),
    );
  }, TUNNEL_OPEN_TIMEOUT_MS);

  constructor(given: AbortSignal) {
    this.#given = given;
    if (given.aborted) this.#forward();
    else given.addEventListener("abort", this.#forward, { once: true });
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#given.removeEventListener("abort", this.#forward);
  }
}

/** The two streams that a request has named, on the side that answers; to be called as soon as it has come. */
export function acceptStreams(
  { streams }: Session,
  { upstream, downstream }: { readonly upstream: number; readonly downstream: number },
): ByteDuplex {
  streams.checkRoom(2);
  const readable = streams.acceptReceive(upstream);
  try {
    return { readable, writable: streams.acceptSend(downstream) };
  } catch (error) {
    readable.cancel(WasimoffError.from(error));
    throw error;
  }
}
