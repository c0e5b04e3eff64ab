/** The bodies of requests to the rendezvous: small texts that must not take long. */

import type { Buffer } from "node:buffer";
import type { IncomingMessage } from "node:http";
import { joinChunks } from "../join_chunks.ts";
import { MAX_BODY_BYTES } from "../rendezvous/rendezvous.ts";
import { CORS, type Exchange, writeReply } from "./rendezvous_exchange.ts";

/** From the headers to the end of the body. */
const BODY_TIMEOUT_MS = 10_000;

/** What comes is carried as it is, so a byte order mark stays. */
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

export class RendezvousBodies {
  /** Requests whose body is still coming and when they began, in that order. */
  readonly #coming = new Map<IncomingMessage, number>();

  /** Cuts off requests whose body does not come. */
  expire(): void {
    const latest = performance.now() - BODY_TIMEOUT_MS;
    for (const [incoming, startedMs] of this.#coming) {
      if (startedMs > latest) break;
      incoming.destroy();
    }
  }

  /** Collects the body as text; one that is too large is answered with 400 before it is read. */
  collect({ incoming, outgoing }: Exchange, use: (body: string) => void): void {
    const tooLarge = () => {
      incoming.removeAllListeners("data");
      incoming.resume();
      writeReply(outgoing, { status: 400, body: "" }, { ...CORS, Connection: "close" });
    };
    if (Number(incoming.headers["content-length"] ?? 0) > MAX_BODY_BYTES) return tooLarge();
    if (waitsToBeAsked(incoming)) outgoing.writeContinue();
    this.#coming.set(incoming, performance.now());
    const chunks: Uint8Array[] = [];
    let length = 0;
    incoming.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length > MAX_BODY_BYTES) tooLarge();
      else chunks.push(chunk);
    });
    incoming.on("error", () => {}); // `close` tells the end
    incoming.on("close", () => this.#coming.delete(incoming));
    incoming.on("end", () => {
      this.#coming.delete(incoming);
      if (length > MAX_BODY_BYTES) return;
      const bytes = chunks.length === 1 ? chunks[0]! : joinChunks(chunks);
      chunks.length = 0; // a poll waits for long, and its request keeps this listener
      use(decoder.decode(bytes));
    });
  }
}

/** Whether the peer wants to be told to send its body; node refuses any other expectation. */
function waitsToBeAsked({ headers, httpVersion }: IncomingMessage): boolean {
  return headers.expect !== undefined && httpVersion === "1.1";
}
