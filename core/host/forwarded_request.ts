/** One request of a visitor on its way to a service, and the answer back. */

import { type ClientRequest, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import { WasimoffError } from "../errors.ts";
import { endToEndHeaders, endToEndTrailers, valuesOf } from "../tunnel/end_to_end_headers.ts";
import type { TunnelFailure } from "../tunnel/error_page.ts";
import { claimsOrigin } from "../tunnel/forwarded_headers.ts";
import { forwardAnswer } from "./forwarded_answer.ts";
import { InvalidAnswer, serviceFailure, SILENT, SLOW_BODY, UNSENDABLE } from "./service_failure.ts";
import type { ServiceAgent } from "./service_agent.ts";

/** How long a service may be silent before the first byte of its answer, and a visitor within its body. */
export const SILENCE_MS = 30_000;
/** Interim answers (1xx) to one request; each begins the silence anew. */
const MAX_INTERIM_ANSWERS = 32;
/** How long a visitor may go on with a body that the service did not want to the end. */
const LINGER_MS = 5_000;

/** Methods after which the same request may be sent again (RFC 9110 9.2.2). */
const IDEMPOTENT: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]);
/** Methods without a body in the eyes of node's client; to others it would add an empty chunked one. */
const BODILESS: ReadonlySet<string> = new Set(["GET", "HEAD", "DELETE", "OPTIONS", "TRACE"]);

export interface ForwardOptions {
  readonly agent: ServiceAgent;
  /** In origin form. */
  readonly path: string;
  /** End-to-end headers, names and values in turn. */
  readonly headers: readonly string[];
  readonly silenceMs?: number;
  /** How long a visitor may read nothing of what waits for it. */
  readonly stalledMs?: number;
  /** Writes the page to the visitor, who has got nothing yet. */
  readonly fail: (failure: TunnelFailure) => void;
  /** Hears the answer's head. */
  readonly onAnswer?: (answer: IncomingMessage) => void;
  /** Hears the pieces of the answer's body. */
  readonly onBody?: (chunk: Uint8Array) => void;
  /** Hears the pieces of the request's body. */
  readonly onRequestBody?: (chunk: Uint8Array) => void;
  /** For requests that may switch protocols: takes both connections over. */
  readonly switched?: (answer: IncomingMessage, service: Duplex, head: Buffer) => void;
}

export class ForwardedRequest {
  readonly #incoming: IncomingMessage;
  readonly #outgoing: ServerResponse;
  readonly #options: ForwardOptions;
  readonly #chunked: boolean;
  readonly #hasBody: boolean;
  readonly #silence: ReturnType<typeof setTimeout>;
  /** Whether the visitor may send a further request once it has the answer. */
  readonly #keepAlive: boolean;
  #request: ClientRequest | undefined;
  #interimAnswers = 0;
  /** The answer has begun, or failed: nothing else may be sent. */
  #answered = false;
  /** The visitor has everything, or has left. */
  #over = false;

  constructor(incoming: IncomingMessage, outgoing: ServerResponse, options: ForwardOptions) {
    this.#incoming = incoming;
    this.#outgoing = outgoing;
    this.#options = options;
    this.#chunked = incoming.headers["transfer-encoding"] !== undefined;
    this.#hasBody = this.#chunked || Number(incoming.headers["content-length"] ?? 0) > 0;
    this.#keepAlive = outgoing.shouldKeepAlive;
    // Until 100 a body may follow the answer, or the next request: nobody knows which (RFC 9110 10.1.1).
    if (incoming.headers.expect !== undefined) outgoing.shouldKeepAlive = false;
    this.#silence = setTimeout(() => this.#silent(), options.silenceMs ?? SILENCE_MS);
    outgoing.once("close", () => {
      clearTimeout(this.#silence);
      this.#over = true;
      if (!outgoing.writableFinished) this.#request?.destroy();
    });
    try {
      this.#send(false);
    } catch {
      this.#fail(UNSENDABLE); // node checks what it writes
    }
  }

  /** `again`: on a connection of its own. */
  #send(again: boolean): void {
    const { agent, path, switched } = this.#options;
    const alone = again || switched !== undefined;
    const sent = this.#request = request({
      ...(alone ? { createConnection: agent.connectOnce } : { agent }),
      method: this.#incoming.method ?? "GET",
      path,
      setHost: false,
      headers: this.#requestHeaders(),
    });
    sent.on("information", (info) => this.#interim(info as unknown as IncomingMessage));
    sent.on("upgrade", (answer, socket, head) => this.#switch(answer, socket, head));
    sent.on("response", (answer) => this.#answer(answer));
    sent.on("error", (error) => {
      const harmless = !this.#hasBody && IDEMPOTENT.has(this.#incoming.method ?? "");
      const stale = agent.isOnKept(sent) && !this.#answered && isHangUp(error);
      if (stale && harmless && !this.#over) this.#send(true);
      else this.#fail(serviceFailure(error));
    });
    if (this.#hasBody) this.#sendBody(sent);
    else sent.end();
  }

  #requestHeaders(): string[] {
    const { headers, switched } = this.#options;
    const { headers: known, method = "GET", rawHeaders } = this.#incoming;
    const framed = this.#chunked
      ? [...headers, "Transfer-Encoding", "chunked"]
      : known["content-length"] === undefined && !BODILESS.has(method)
      ? [...headers, "Content-Length", "0"]
      : [...headers];
    if (/\btrailers\b/i.test(valuesOf(rawHeaders, "te").join())) framed.push("TE", "trailers");
    if (switched !== undefined) {
      framed.push(
        "Connection",
        "Upgrade",
        ...valuesOf(rawHeaders, "upgrade").flatMap((value) => ["Upgrade", value]),
      );
    }
    return framed;
  }

  #sendBody(sent: ClientRequest): void {
    const incoming = this.#incoming;
    let started = false;
    incoming.on("data", (chunk: Uint8Array) => {
      started = true;
      this.#options.onRequestBody?.(chunk);
      if (!this.#answered) this.#silence.refresh();
      if (!sent.write(chunk)) incoming.pause();
    });
    sent.on("drain", () => incoming.resume());
    sent.once("close", () => incoming.resume()); // what nobody wants is read and forgotten
    incoming.once("end", () => {
      started = true;
      if (sent.destroyed) return;
      const claims = (name: string) => claimsOrigin(name, false);
      if (this.#chunked) sent.addTrailers(endToEndTrailers(incoming.rawTrailers, claims));
      sent.end();
    });
    setImmediate(() => started || sent.destroyed || sent.flushHeaders());
  }

  #interim(info: IncomingMessage): void {
    if (this.#answered) return;
    if (++this.#interimAnswers > MAX_INTERIM_ANSWERS) {
      this.#fail(serviceFailure(new InvalidAnswer("too many interim answers")));
      return;
    }
    this.#silence.refresh();
    const { statusCode = 0, statusMessage = "", rawHeaders } = info;
    // Before HTTP/1.1 nobody expects them, and nobody is told to go on who did not ask.
    if (this.#incoming.httpVersionMinor === 0) return;
    if (statusCode === 100 && this.#incoming.headers.expect === undefined) return;
    if (statusCode === 100) this.#outgoing.shouldKeepAlive = this.#keepAlive;
    if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(statusMessage)) return;
    const headers = endToEndHeaders(rawHeaders);
    let head = `HTTP/1.1 ${statusCode} ${statusMessage}\r\n`;
    for (let i = 0; i < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`;
    this.#outgoing.socket?.write(`${head}\r\n`, "latin1");
  }

  #switch(answer: IncomingMessage, service: Duplex, head: Buffer): void {
    clearTimeout(this.#silence);
    const { switched } = this.#options;
    if (switched === undefined || this.#answered) {
      service.destroy();
      this.#fail(serviceFailure(new InvalidAnswer("service switched protocols unasked")));
      return;
    }
    this.#answered = true;
    this.#options.onAnswer?.(answer);
    switched(answer, service, head);
  }

  #answer(answer: IncomingMessage): void {
    clearTimeout(this.#silence);
    if (this.#answered) return void answer.destroy();
    const { onAnswer, onBody, stalledMs } = this.#options;
    try {
      forwardAnswer(answer, this.#outgoing, {
        ...(onBody === undefined ? {} : { onBody }),
        ...(stalledMs === undefined ? {} : { stalledMs }),
        ended: () => this.#ended(),
      });
    } catch (error) {
      this.#fail(serviceFailure(error as Error));
      return;
    }
    this.#answered = true;
    onAnswer?.(answer);
  }

  /** The service answered without reading to the end: the visitor may finish, within limits. */
  #ended(): void {
    if (this.#incoming.complete || this.#over) return;
    this.#request?.destroy();
    const { socket } = this.#incoming;
    const timer = setTimeout(() => socket.destroy(), LINGER_MS);
    const done = () => clearTimeout(timer);
    this.#incoming.once("end", done);
    socket.once("close", done);
  }

  #silent(): void {
    const blocked = this.#request?.writableNeedDrain ?? false;
    this.#fail(this.#incoming.complete || blocked || !this.#hasBody ? SILENT : SLOW_BODY);
  }

  #fail(failure: TunnelFailure): void {
    clearTimeout(this.#silence);
    this.#request?.destroy();
    if (this.#answered) return;
    this.#answered = true;
    if (this.#over) return;
    this.#options.fail(failure);
    this.#ended();
  }
}

/** A connection that ended without a byte of an answer: what it looks like when the service had closed it before. */
function isHangUp(error: Error): boolean {
  return (error as NodeJS.ErrnoException).code === "ECONNRESET" || error instanceof WasimoffError;
}
