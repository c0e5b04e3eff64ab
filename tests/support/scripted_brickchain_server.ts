/** An existing Brickchain server, played as the specification has it (brickchain.md 2, 3 and 8). */

import { createServer, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
// @ts-types="npm:@types/ws@8.18.2"
import { type WebSocket, WebSocketServer } from "ws";
import { within } from "./within.ts";

export type Fields = Readonly<Record<string, unknown>>;

const PREFIX = "https://proxy.brickchain.com/v1/";
/** The id and hostname that were recorded. */
export const RECORDED_ID = "ypayov4c7eilxhu6zmyq4zzeerselyc7ssymxhbsqaijd3l5e72q";

/** One control connection. */
export class ScriptedClientLink {
  readonly frames: string[] = [];
  readonly closed: Promise<number>;
  #read = 0;
  #changed = Promise.withResolvers<void>();

  constructor(readonly socket: WebSocket, readonly headers: Readonly<Record<string, unknown>>) {
    socket.on("message", (data, isBinary) => {
      this.frames.push(isBinary ? "a binary frame" : data.toString());
      this.#changed.resolve();
      this.#changed = Promise.withResolvers();
    });
    socket.on("error", () => {});
    this.closed = new Promise((resolve) => socket.on("close", resolve));
  }

  /** The next document, whose type must be this. */
  async expect(kind: string): Promise<Record<string, unknown>> {
    while (this.frames.length === this.#read) await within(this.#changed.promise, `a ${kind}`);
    const frame = this.frames[this.#read++]!;
    const document = JSON.parse(frame);
    if (document["@type"] !== `${PREFIX}${kind}.json`) throw new Error(`no ${kind}: ${frame}`);
    return document;
  }

  /** Sends a document as Go writes it: nanoseconds, and the fields in this order. */
  tell(kind: string, id: string, fields: Fields = {}): void {
    const timestamp = new Date().toISOString().replace("Z", "069877Z");
    const document = { "@type": `${PREFIX}${kind}.json`, "@timestamp": timestamp, "@id": id, ...fields };
    this.socket.send(JSON.stringify(document));
  }

  ping(): void {
    this.socket.send(`{"@type":"${PREFIX}ping.json"}\n`);
  }

  /** Answers the registration with what was recorded; gives the request. */
  async register(hostname: string | null = `${RECORDED_ID}.proxy.test`): Promise<Record<string, unknown>> {
    const request = await this.expect("registration-request");
    const fields = hostname === null ? {} : { hostname };
    this.tell("registration-response", request["@id"] as string, { keyID: RECORDED_ID, ...fields });
    return request;
  }

  /** Asks and gives the answer. */
  async ask(fields: Fields): Promise<Record<string, unknown>> {
    const id = crypto.randomUUID();
    const defaults = {
      url: "/",
      headers: { "Accept": "*/*", "User-Agent": "curl/7.88.1" },
      method: "GET",
      body: "",
    };
    this.tell("http-request", id, { ...defaults, ...fields });
    const answer = await this.expect("http-response");
    if (answer["@id"] !== id) throw new Error("answer to another request");
    return answer;
  }
}

export class ScriptedBrickchainServer implements AsyncDisposable {
  readonly #server: Server;
  readonly #upgrades = new WebSocketServer({ noServer: true, maxPayload: 0, perMessageDeflate: false });
  readonly #sockets = new Set<Socket>();
  readonly #links: ScriptedClientLink[] = [];
  #changed = Promise.withResolvers<void>();

  private constructor(server: Server) {
    this.#server = server;
    server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
    server.on("upgrade", (request, socket, head) => {
      if (request.url !== "/proxy/subscribe") return socket.end("HTTP/1.1 404 Not Found\r\n\r\n");
      this.#upgrades.handleUpgrade(request, socket, head, (webSocket) => {
        this.#links.push(new ScriptedClientLink(webSocket, request.headers));
        this.#changed.resolve();
        this.#changed = Promise.withResolvers();
      });
    });
  }

  static async start(): Promise<ScriptedBrickchainServer> {
    const server = createServer();
    const scripted = new ScriptedBrickchainServer(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return scripted;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The n-th connection. */
  async link(index = 0): Promise<ScriptedClientLink> {
    while (this.#links[index] === undefined) await within(this.#changed.promise, `connection ${index}`);
    return this.#links[index];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
