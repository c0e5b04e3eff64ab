/** The datagrams of a session, in the shape of the W3C interface. */

import { WasimoffError } from "../errors.ts";
import { datagramOverhead, encodeDatagram } from "./datagram.ts";
import { DatagramQueue } from "./datagram_queue.ts";
import type { QuicConnection } from "./quic_connection.ts";

/** Datagrams may get lost, here and on their way: whoever writes too large ones or reads too slowly loses some. */
export class SessionDatagrams {
  readonly #quic: QuicConnection;
  readonly #sessionId: bigint;
  readonly #queue: DatagramQueue;
  #writable: WritableStream<Uint8Array> | undefined;
  #controller: WritableStreamDefaultController | undefined;
  #end: { readonly cause: unknown } | undefined;
  #tooLarge = 0;

  constructor(quic: QuicConnection, sessionId: bigint, limit: number) {
    this.#quic = quic;
    this.#sessionId = sessionId;
    this.#queue = new DatagramQueue(limit);
  }

  /** Each chunk is one datagram. */
  get readable(): ReadableStream<Uint8Array> {
    return this.#queue.readable;
  }

  /** Each chunk is sent as one datagram; one above `maxDatagramSize` is dropped. */
  get writable(): WritableStream<Uint8Array> {
    return this.#writable ??= new WritableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller;
        if (this.#end !== undefined) controller.error(this.#end.cause);
      },
      write: (payload) => this.#send(payload),
    });
  }

  /** In bytes. Changes with what the path carries. */
  get maxDatagramSize(): number {
    return Math.max(0, this.#quic.maxDatagramSize - datagramOverhead(this.#sessionId));
  }

  /** How many came and were dropped, because nobody read them in time. */
  get droppedIncoming(): number {
    return this.#queue.dropped;
  }

  /** How many were too large to be sent. */
  get droppedOutgoing(): number {
    return this.#tooLarge;
  }

  /** One that has come. */
  push(payload: Uint8Array): void {
    this.#queue.push(payload);
  }

  /** The session has ended: properly without a cause. */
  end(cause: unknown): void {
    this.#queue.end(cause);
    this.#end = {
      cause: cause ?? new WasimoffError("unavailable", "cannot send datagrams: the session has ended"),
    };
    this.#controller?.error(this.#end.cause);
  }

  async #send(payload: Uint8Array): Promise<void> {
    if (payload.length > this.maxDatagramSize) {
      this.#tooLarge++;
      return;
    }
    await this.#quic.sendDatagram(encodeDatagram(this.#sessionId, payload));
  }
}
