/** The HTTP face of the rendezvous, on node's own requests: each match is three of them, and each costs (snowflake 2). */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { AMP_PATH } from "../rendezvous/amp_path.ts";
import type { Logger } from "../log.ts";
import type { Rendezvous, RendezvousReply } from "../rendezvous/rendezvous.ts";
import type { HttpInterceptor } from "./http_server.ts";
import { MEETING_PATH, MeetingHttp, type MeetingHttpOptions } from "./meeting_http.ts";
import { RendezvousBodies } from "./rendezvous_bodies.ts";
import { CORS, type Exchange, type HeaderFields, writeReply } from "./rendezvous_exchange.ts";
import { Turns } from "./turns.ts";
import { upgradeAnswer } from "./upgrade_answer.ts";

const NOT_FOUND: RendezvousReply = { status: 404, body: "404 page not found\n" };
const ROBOTS = "User-agent: *\nDisallow: /\n";
const TEXT = "text/plain; charset=utf-8";

/** A text that is made when somebody asks for it. */
export interface TextPage {
  readonly contentType: string;
  readonly text: string;
}

export interface RendezvousHttpOptions extends MeetingHttpOptions {
  readonly rendezvous: Rendezvous;
  /** The page for Prometheus. */
  readonly prometheus: () => Promise<TextPage>;
  /** What `/metrics` shows, null for 404. null for a face whose `/metrics` is somebody else's. */
  readonly metricsLog: (() => Promise<TextPage | null>) | null;
  readonly logger: Logger;
}

/** Not for pages of other origins; the same in the reference broker. */
const WITHOUT_CORS: ReadonlySet<string> = new Set(["/prometheus", "/robots.txt"]);

type Handler = (exchange: Exchange) => void;

export class RendezvousHttp implements HttpInterceptor {
  readonly #options: RendezvousHttpOptions;
  readonly #routes: ReadonlyMap<string, Handler>;
  readonly #meetings: MeetingHttp;
  readonly #turns = new Turns();
  readonly #bodies = new RendezvousBodies();
  #closed = false;

  constructor(options: RendezvousHttpOptions) {
    this.#options = options;
    this.#meetings = new MeetingHttp(options);
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
        ({ outgoing }) => writeReply(outgoing, { status: 200, body: ROBOTS }, { "Content-Type": TEXT }),
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
    writeReply(outgoing, { status: 400, body: "" }, CORS);
  }

  /** Cuts off requests whose body does not come: to be called a few times in a second. */
  expire(): void {
    this.#bodies.expire();
  }

  /** Further requests are refused. */
  close(): void {
    this.#closed = true;
  }

  #handlerOf(path: string): Handler | undefined {
    if (path.startsWith(AMP_PATH)) return (exchange) => this.#ampOffer(exchange);
    if (path.startsWith(MEETING_PATH)) {
      return (exchange) => this.#withBody(exchange, (body) => this.#meetings.request(exchange, body));
    }
    return this.#routes.get(path);
  }

  #route(exchange: Exchange): void {
    const { incoming, outgoing, path } = exchange;
    if (this.#closed) {
      return writeReply(outgoing, { status: 503, body: "" }, { ...CORS, Connection: "close" });
    }
    const handle = this.#handlerOf(path);
    if (handle === undefined) return writeReply(outgoing, NOT_FOUND, { "Content-Type": TEXT });
    if (incoming.method === "OPTIONS" && !WITHOUT_CORS.has(path)) {
      return writeReply(outgoing, { status: 200, body: "" }, CORS);
    }
    handle(exchange);
  }

  #withBody(exchange: Exchange, use: (body: string) => void): void {
    this.#bodies.collect(exchange, (body) => this.#guard(exchange, () => use(body)));
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
    writeReply(outgoing, { status: 500, body: "" }, CORS);
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
        writeReply(outgoing, reply, { ...CORS, "Content-Type": "text/html", "Cache-Control": "max-age=15" }),
    );
    leaveWith(exchange, leave);
  }

  #page({ outgoing }: Exchange, make: () => Promise<TextPage | null>, headers: HeaderFields): void {
    make().then((page) => {
      if (page === null) return writeReply(outgoing, NOT_FOUND, { ...headers, "Content-Type": TEXT });
      writeReply(outgoing, { status: 200, body: page.text }, {
        ...headers,
        "Content-Type": page.contentType,
      });
    }).catch((error) => this.#fail(outgoing, error));
  }
}

/** Double slashes count as one, as the reference broker's redirects would have it. */
function pathOf(url: string): string {
  const end = url.search(/[?#]/);
  const path = (end < 0 ? url : url.slice(0, end)).replace(/^https?:\/\/[^/]*/i, "");
  return path.replace(/\/{2,}/g, "/");
}

function replyTo({ outgoing }: Exchange): (reply: RendezvousReply) => void {
  return (reply) => writeReply(outgoing, reply, reply.body === "" ? CORS : { ...CORS, "Content-Type": TEXT });
}

/** A peer that hangs up before its reply is forgotten at once. */
function leaveWith({ outgoing }: Exchange, leave: () => void): void {
  outgoing.once("close", () => {
    if (!outgoing.writableFinished) leave();
  });
}
