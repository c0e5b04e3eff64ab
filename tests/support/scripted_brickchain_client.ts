/** An existing Brickchain tunnel client, played as the specification has it (brickchain.md 2, 3 and 8). */

// @ts-types="npm:@types/ws@8.18.2"
import { WebSocket } from "ws";
import { signedToken } from "./brickchain_token.ts";
import { within } from "./within.ts";

export type Fields = Readonly<Record<string, unknown>>;

const PREFIX = "https://proxy.brickchain.com/v1/";

export interface ClientOptions {
  /** Headers of the upgrade request. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Reads nothing and answers no control ping: a dead socket. */
  readonly deaf?: boolean;
}

export class ScriptedBrickchainClient implements AsyncDisposable {
  /** Every frame that came, in order. */
  readonly frames: string[] = [];
  readonly closed: Promise<number>;
  /** Headers of the 101. */
  readonly upgraded: Readonly<Record<string, string | string[] | undefined>>;
  readonly #socket: WebSocket;
  #read = 0;
  #changed = Promise.withResolvers<void>();

  private constructor(socket: WebSocket, upgraded: ScriptedBrickchainClient["upgraded"]) {
    this.#socket = socket;
    this.upgraded = upgraded;
    socket.on("message", (data, isBinary) => {
      this.frames.push(isBinary ? "a binary frame" : data.toString());
      this.#changed.resolve();
      this.#changed = Promise.withResolvers();
    });
    socket.on("error", () => {});
    this.closed = new Promise((resolve) => socket.on("close", resolve));
  }

  /** `endpoint` is the client's PROXY_ENDPOINT: its path is dropped. */
  static async connect(endpoint: string, options: ClientOptions = {}): Promise<ScriptedBrickchainClient> {
    const url = new URL("/proxy/subscribe", endpoint);
    url.protocol = url.protocol.replace("http", "ws");
    const headers = { "user-agent": "Go-http-client/1.1", ...options.headers };
    const socket = new WebSocket(url, { headers, perMessageDeflate: false, autoPong: !options.deaf });
    const opened = Promise.withResolvers<ScriptedBrickchainClient>();
    socket.on("upgrade", (response) => {
      const client = new ScriptedBrickchainClient(socket, response.headers);
      socket.on("open", () => opened.resolve(client));
    });
    socket.on("error", opened.reject);
    return await within(opened.promise, "the upgrade");
  }

  /** Sends any text as a frame. */
  send(frame: string | Uint8Array): void {
    this.#socket.send(frame);
  }

  /** Sends a document in the order of fields that the real client has. */
  tell(kind: string, id: string, fields: Fields = {}): void {
    this.send(JSON.stringify({
      "@type": `${PREFIX}${kind}.json`,
      "@timestamp": new Date().toISOString().replace("Z", "551766Z"),
      "@id": id,
      ...fields,
    }));
  }

  /** The next frame. */
  async next(what = "a frame"): Promise<string> {
    while (this.frames.length === this.#read) await within(this.#changed.promise, what);
    return this.frames[this.#read++]!;
  }

  /** The next document, pings aside; its type must be this. */
  async expect(kind: string): Promise<Record<string, unknown>> {
    for (;;) {
      const frame = await this.next(`a ${kind}`);
      const document = JSON.parse(frame);
      if (document["@type"] === `${PREFIX}${kind}.json`) return document;
      if (document["@type"] !== `${PREFIX}ping.json`) throw new Error(`no ${kind}: ${frame}`);
    }
  }

  /** Registers a key and gives the answer. */
  async register(key: CryptoKeyPair, uri: string, fields: Fields = {}): Promise<Record<string, unknown>> {
    const payload = mandate(uri);
    this.tell("registration-request", crypto.randomUUID(), {
      mandateToken: await signedToken(key, { payload }),
      ...fields,
    });
    return await this.expect("registration-response");
  }

  /** Waits for a request and answers it. */
  async answer(fields: Fields): Promise<Record<string, unknown>> {
    const request = await this.expect("http-request");
    this.tell("http-response", request["@id"] as string, {
      headers: { "Content-Type": "text/plain" },
      contentType: "text/plain",
      status: 200,
      body: "",
      ...fields,
    });
    return request;
  }

  /** Goes without a word. */
  vanish(): void {
    this.#socket.terminate();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.terminate();
    await this.closed;
  }
}

/** The payload of the stock client's token. */
export function mandate(uri: string, at = Date.now()): Record<string, unknown> {
  return {
    "@type": "https://schema.brickchain.com/v2/mandate-token.json",
    "@timestamp": new Date(at).toISOString().replace("Z", "368212Z"),
    uri,
    ttl: 60,
  };
}
