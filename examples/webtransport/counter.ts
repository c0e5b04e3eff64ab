/** A number that everybody who is connected can change, and sees change. */

import type { WebTransportRequest } from "../../core/webtransport/request.ts";
import type { Refusal, WebTransportRoute } from "../../core/webtransport/route.ts";
import type { WebTransportSession } from "../../core/webtransport/session.ts";

/** Nobody may send more in one stream. */
const MAX_STEP_BYTES = 16;

export class Counter implements WebTransportRoute {
  readonly protocols = ["counter.v1"];
  readonly #sessions = new Set<WebTransportSession>();
  #value = 0;

  /** Any page of the internet may ask: only programs, and pages of this machine, are let in. */
  authorize({ origin }: WebTransportRequest): Refusal | void {
    const isNear = origin === null || ["localhost", "127.0.0.1"].includes(new URL(origin).hostname);
    if (!isNear) return { closeCode: 4403, reason: "this counter is for pages of this machine" };
  }

  /** Each stream carries one step, such as "-1", and takes back the value; every change goes out in datagrams. */
  async handle(session: WebTransportSession): Promise<void> {
    this.#sessions.add(session);
    try {
      this.#tellAll();
      for await (const { readable, writable } of session.incomingBidirectionalStreams) {
        const step = Number(await readShort(readable));
        this.#value += Number.isFinite(step) ? step : 0;
        const writer = writable.getWriter();
        await writer.write(new TextEncoder().encode(`${this.#value}`));
        await writer.close();
        this.#tellAll();
      }
    } finally {
      this.#sessions.delete(session);
      this.#tellAll();
    }
  }

  /** A datagram may get lost: the next one says it all again. */
  #tellAll(): void {
    const news = new TextEncoder().encode(
      JSON.stringify({ value: this.#value, people: this.#sessions.size }),
    );
    for (const { datagrams } of this.#sessions) {
      const writer = datagrams.writable.getWriter();
      writer.write(news).catch(() => {}); // who has left needs no news
      writer.releaseLock();
    }
  }
}

async function readShort(readable: ReadableStream<Uint8Array>): Promise<string> {
  let text = "";
  for await (const chunk of readable) {
    text += new TextDecoder().decode(chunk);
    if (text.length > MAX_STEP_BYTES) throw new RangeError("a step is short");
  }
  return text;
}
