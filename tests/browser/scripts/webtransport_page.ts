/** What tests of WebTransport use in a page besides the interface of the browser. */

/** Deno's types lack these members of Chromium. */
interface PageOptions extends WebTransportOptions {
  readonly protocols?: readonly string[];
}

export interface PageSession extends WebTransport {
  readonly protocol: string;
}

/** How often a page asks again when the server allows no further stream yet: Chromium does not wait. */
const RETRIES = 2000;
const RETRY_MS = 5;

export class PageTools {
  #server = { origin: "", hash: "" };

  useServer(origin: string, hash: string): void {
    this.#server = { origin, hash };
  }

  /** Begins a session with a path of the server that the test has opened. */
  dial(path: string, protocols: readonly string[] = []): PageSession {
    const value = Uint8Array.fromHex(this.#server.hash);
    const options: PageOptions = {
      serverCertificateHashes: [{ algorithm: "sha-256", value }],
      ...(protocols.length > 0 ? { protocols } : {}),
    };
    return new WebTransport(this.#server.origin + path, options) as PageSession;
  }

  async connect(path: string, protocols: readonly string[] = []): Promise<PageSession> {
    const session = this.dial(path, protocols);
    await session.ready;
    return session;
  }

  /** A bidirectional stream as soon as there may be one. */
  async open(session: WebTransport): Promise<WebTransportBidirectionalStream> {
    for (let turn = 0;; turn++) {
      try {
        return await session.createBidirectionalStream();
      } catch (error) {
        if (turn === RETRIES) throw error;
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  /** The first value of a stream. */
  async first<T>(readable: ReadableStream<T>): Promise<T> {
    const reader = readable.getReader();
    try {
      const { value, done } = await reader.read();
      if (done) throw new Error("the stream has ended");
      return value;
    } finally {
      reader.releaseLock();
    }
  }

  /** All there is until the proper end, as text. */
  async readText(readable: ReadableStream<Uint8Array>): Promise<string> {
    let text = "";
    const decoder = new TextDecoder();
    for await (const chunk of readable) text += decoder.decode(chunk, { stream: true });
    return text + decoder.decode();
  }

  /** Writes a text and ends the stream. */
  async sendText(writable: WritableStream<Uint8Array>, text: string): Promise<void> {
    const writer = writable.getWriter();
    await writer.write(new TextEncoder().encode(text));
    await writer.close();
  }

  /** Sends a text on a new stream, ends it, and reads what comes back to its end. */
  async echo(session: WebTransport, text: string): Promise<string> {
    const { readable, writable } = await this.open(session);
    const [answer] = await Promise.all([this.readText(readable), this.sendText(writable, text)]);
    return answer;
  }

  /** An error that carries a code to the peer. Chromium makes it in another way than the standard says. */
  streamError(streamErrorCode: number): Error {
    const make = WebTransportError as unknown as new (init: { streamErrorCode: number }) => Error;
    return new make({ streamErrorCode });
  }

  /** SHA-256 of bytes, hex. */
  async sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
    return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
  }

  /** How something rejects, in what travels to the test. */
  async failure(promise: Promise<unknown>): Promise<Record<string, unknown>> {
    try {
      await promise;
      return { name: "none" };
    } catch (thrown) {
      const { name, message, source, streamErrorCode } = thrown as Record<string, unknown>;
      return { name, message, source, streamErrorCode };
    }
  }
}

(globalThis as unknown as { tools: PageTools }).tools = new PageTools();
