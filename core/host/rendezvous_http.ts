/** The HTTP face of the rendezvous, on node's own requests: each match is three of them, and each costs (snowflake 2). */

import { Buffer } from "node:buffer";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { joinChunks } from "../join_chunks.ts";
import { AMP_PATH } from "../rendezvous/amp_path.ts";
import type { Logger } from "../log.ts";
import { MAX_NAME_CHARS, type MeetingPoint } from "../rendezvous/meeting_point.ts";
import type { PollShares } from "../rendezvous/poll_shares.ts";
import {
  MAX_BODY_BYTES,
  type Rendezvous,
  type RendezvousPeer,
  type RendezvousReply,
} from "../rendezvous/rendezvous.ts";
import type { HttpInterceptor } from "./http_server.ts";
import { Turns } from "./turns.ts";
import { upgradeAnswer } from "./upgrade_answer.ts";

/** Where two peers of a common name meet. */
export const MEETING_PATH = "/rendezvous/";

type HeaderFields = Readonly<Record<string, string>>;

const NOT_FOUND: RendezvousReply = { status: 404, body: "404 page not found\n" };
const ROBOTS = "User-agent: *\nDisallow: /\n";
const TEXT = "text/plain; charset=utf-8";
/** Pages of any origin poll, ask and answer. */
const CORS: HeaderFields = {
  "Access-Control-Allow-Origin": "*",
  "Access-Control-Allow-Headers": "Origin, X-Session-ID",
};

/** A text that is made when somebody asks for it. */
export interface TextPage {
  readonly contentType: string;
  readonly text: string;
}

export interface RendezvousHttpOptions {
  readonly rendezvous: Rendezvous;
  readonly meetings: MeetingPoint;
  /** What each address may have waiting there. */
  readonly meetingShares: PollShares;
  readonly identifyPeer: (incoming: IncomingMessage) => RendezvousPeer;
  /** The page for Prometheus. */
  readonly prometheus: () => Promise<TextPage>;
  /** What `/metrics` shows, null for 404. null for a face whose `/metrics` is somebody else's. */
  readonly metricsLog: (() => Promise<TextPage | null>) | null;
  readonly logger: Logger;
}

/** From the headers to the end of the body. */
const BODY_TIMEOUT_MS = 10_000;

/** What comes is carried as it is, so a byte order mark stays. */
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Not for pages of other origins; the same in the reference broker. */
const WITHOUT_CORS: ReadonlySet<string> = new Set(["/prometheus", "/robots.txt"]);

type Handler = (exchange: Exchange) => void;

/** What replies need to be written; the peer may be gone before. */
interface Exchange {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
  /** Path without a query. */
  readonly path: string;
}

export class RendezvousHttp implements HttpInterceptor {
  readonly #options: RendezvousHttpOptions;
  readonly #routes: ReadonlyMap<string, Handler>;
  readonly #turns = new Turns();
  #closed = false;
  /** Requests whose body is still coming and when they began, in that order. */
  readonly #bodies = new Map<IncomingMessage, number>();

  constructor(options: RendezvousHttpOptions) {
    this.#options = options;
    const { rendezvous, metricsLog, prometheus } = options;
    this.#routes = new Map<string, Handler>([
      ["/proxy", (exchange) => this.#withBody(exchange, (body) => this.#poll(exchange, body))],
      [
        "/answer",
        (exchange) => this.#withBody(exchange, (body) => rendezvous.answer(body, replyTo(exchange))),
      ],
      ["/client", (exchange) => this.#withBody(exchange, (body) => this.#offer(exchange, body))],
      ["/debug", (exchange) => replyTo(exchange)({ status: 200, body: rendezvous.debug() })],
      [
        "/robots.txt",
        ({ outgoing }) => write(outgoing, { status: 200, body: ROBOTS }, { "Content-Type": TEXT }),
      ],
      [AMP_PATH.slice(0, -1), (exchange) => this.#ampOffer(exchange)],
      ["/prometheus", (exchange) => this.#page(exchange, prometheus, {})],
      ...(metricsLog === null
        ? []
        : [["/metrics", (exchange: Exchange) => this.#page(exchange, metricsLog, CORS)] as const]),
    ]);
  }

  /** Whether a request is for us. */
  takes({ url = "" }: IncomingMessage): boolean {
    return this.#handlerOf(pathOf(url)) !== undefined;
  }

  request(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const exchange = { incoming, outgoing, path: pathOf(incoming.url ?? "") };
    outgoing.on("error", () => {}); // the peer is gone: `close` says so, too
    this.#turns.take(incoming, outgoing, () => this.#guard(exchange, () => this.#route(exchange)));
  }

  /** Nothing here is spoken over another protocol. */
  upgrade(incoming: IncomingMessage, socket: Duplex): void {
    const outgoing = upgradeAnswer(incoming, socket);
    write(outgoing, { status: 400, body: "" }, CORS);
  }

  /** Cuts off requests whose body does not come: to be called a few times in a second. */
  expire(): void {
    const latest = performance.now() - BODY_TIMEOUT_MS;
    for (const [incoming, startedMs] of this.#bodies) {
      if (startedMs > latest) break;
      incoming.destroy();
    }
  }

  /** Further requests are refused. */
  close(): void {
    this.#closed = true;
  }

  #handlerOf(path: string): Handler | undefined {
    if (path.startsWith(AMP_PATH)) return (exchange) => this.#ampOffer(exchange);
    if (path.startsWith(MEETING_PATH)) {
      return (exchange) => this.#withBody(exchange, (body) => this.#meet(exchange, body));
    }
    return this.#routes.get(path);
  }

  #route(exchange: Exchange): void {
    const { incoming, outgoing, path } = exchange;
    if (this.#closed) return write(outgoing, { status: 503, body: "" }, { ...CORS, Connection: "close" });
    const handle = this.#handlerOf(path);
    if (handle === undefined) return write(outgoing, NOT_FOUND, { "Content-Type": TEXT });
    if (incoming.method === "OPTIONS" && !WITHOUT_CORS.has(path)) {
      return write(outgoing, { status: 200, body: "" }, CORS);
    }
    handle(exchange);
  }

  /** A defect of ours costs one request, not the process. */
  #guard({ outgoing }: Exchange, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#fail(outgoing, error);
    }
  }

  #fail(outgoing: ServerResponse, error: unknown): void {
    this.#options.logger.error("request failed", { error });
    write(outgoing, { status: 500, body: "" }, CORS);
  }

  #poll(exchange: Exchange, body: string): void {
    const { rendezvous, identifyPeer } = this.#options;
    const leave = rendezvous.poll(body, identifyPeer(exchange.incoming), replyTo(exchange));
    leaveWith(exchange, leave);
  }

  #offer(exchange: Exchange, body: string): void {
    const nat = String(exchange.incoming.headers["snowflake-nat-type"] ?? "");
    leaveWith(exchange, this.#options.rendezvous.offer(body, nat, replyTo(exchange)));
  }

  #ampOffer(exchange: Exchange): void {
    const { outgoing, path } = exchange;
    const leave = this.#options.rendezvous.ampOffer(
      path.slice(AMP_PATH.length),
      (reply) =>
        write(outgoing, reply, { ...CORS, "Content-Type": "text/html", "Cache-Control": "max-age=15" }),
    );
    leaveWith(exchange, leave);
  }

  /** `POST /rendezvous/NAME` with an offer, `POST /rendezvous/NAME/ID` with an answer. */
  #meet(exchange: Exchange, body: string): void {
    const { meetings, meetingShares, identifyPeer } = this.#options;
    const [name = "", id, ...rest] = exchange.path.slice(MEETING_PATH.length).split("/");
    const reply = (status: number, document: unknown) =>
      write(exchange.outgoing, { status, body: JSON.stringify(document) }, {
        ...CORS,
        "Content-Type": "application/json",
        "Cache-Control": "no-store",
      });
    const refuse = (status: number, message: string) => reply(status, { error: message });
    if (exchange.incoming.method !== "POST") return refuse(405, "only POST is known here");
    if (name === "" || name.length > MAX_NAME_CHARS || rest.length > 0) {
      return refuse(400, `a name has 1 to ${MAX_NAME_CHARS} characters and no slash`);
    }
    if (body === "") return refuse(400, "the body is empty: send an offer or an answer");
    if (id !== undefined) {
      if (meetings.answer(name, id, body)) return reply(200, {});
      return refuse(404, "nobody waits for this answer any more");
    }
    const { share } = identifyPeer(exchange.incoming);
    if (share !== null && !meetingShares.take(share)) return refuse(429, "your address waits here too often");
    const leave = meetings.meet(name, body, (end) => {
      if (end.kind === "nobody") refuse(404, "nobody else came: try again");
      else if (end.kind === "offer") reply(200, { offer: end.offer, id: end.id });
      else reply(200, { answer: end.answer });
    });
    exchange.outgoing.once("close", () => {
      leave?.();
      if (share !== null) meetingShares.give(share);
    });
    if (leave === null) refuse(503, "too many peers wait: try again later");
  }

  #page({ outgoing }: Exchange, make: () => Promise<TextPage | null>, headers: HeaderFields): void {
    make().then((page) => {
      if (page === null) return write(outgoing, NOT_FOUND, { ...headers, "Content-Type": TEXT });
      write(outgoing, { status: 200, body: page.text }, { ...headers, "Content-Type": page.contentType });
    }).catch((error) => this.#fail(outgoing, error));
  }

  /** Collects the body as text; one that is too large is answered with 400 before it is read. */
  #withBody(exchange: Exchange, use: (body: string) => void): void {
    const { incoming, outgoing } = exchange;
    const tooLarge = () => {
      incoming.removeAllListeners("data");
      incoming.resume();
      write(outgoing, { status: 400, body: "" }, { ...CORS, Connection: "close" });
    };
    if (Number(incoming.headers["content-length"] ?? 0) > MAX_BODY_BYTES) return tooLarge();
    if (incoming.headers.expect !== undefined) outgoing.writeContinue(); // node refuses other expectations
    this.#bodies.set(incoming, performance.now());
    const chunks: Uint8Array[] = [];
    let length = 0;
    incoming.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length > MAX_BODY_BYTES) tooLarge();
      else chunks.push(chunk);
    });
    incoming.on("error", () => {}); // `close` tells the end
    incoming.on("close", () => this.#bodies.delete(incoming));
    incoming.on("end", () => {
      this.#bodies.delete(incoming);
      if (length > MAX_BODY_BYTES) return;
      const bytes = chunks.length === 1 ? chunks[0]! : joinChunks(chunks);
      chunks.length = 0; // a poll waits for long, and its request keeps this listener
      this.#guard(exchange, () => use(decoder.decode(bytes)));
    });
  }
}

/** Double slashes count as one, as the reference broker's redirects would have it. */
function pathOf(url: string): string {
  const end = url.search(/[?#]/);
  const path = (end < 0 ? url : url.slice(0, end)).replace(/^https?:\/\/[^/]*/i, "");
  return path.replace(/\/{2,}/g, "/");
}

function replyTo({ outgoing }: Exchange): (reply: RendezvousReply) => void {
  return (reply) => write(outgoing, reply, reply.body === "" ? CORS : { ...CORS, "Content-Type": TEXT });
}

function write(
  outgoing: ServerResponse,
  { status, body }: RendezvousReply,
  headers: HeaderFields,
): void {
  if (outgoing.destroyed || outgoing.headersSent) return;
  outgoing.writeHead(status, { ...headers, "Content-Length": Buffer.byteLength(body) });
  outgoing.end(body);
}

/** A peer that hangs up before its reply is forgotten at once. */
function leaveWith({ outgoing }: Exchange, leave: () => void): void {
  outgoing.once("close", () => {
    if (!outgoing.writableFinished) leave();
  });
}
