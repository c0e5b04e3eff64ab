/** Serves the page that shows the requests of an HTTP tunnel, to programs of this machine only. */

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { hostName, LOOPBACK_HOSTS } from "../broker/identity/loopback_rule.ts";
import { valuesOf } from "../tunnel/end_to_end_headers.ts";
import type { Exchange, ExchangeLog } from "../tunnel/exchange_log.ts";
import { inspectFragment } from "./inspect_fragment.ts";
import { INSPECT_FILES, INSPECT_POLICY } from "./inspect_page.ts";
import { type ListenAddress, listenOn } from "./listen_on.ts";

/** Pages that watch at once. */
const MAX_WATCHERS = 16;
/** Changes are sent together this often. */
const SEND_INTERVAL_MS = 100;
/** A watcher that reads so much too slowly is let go; it comes back by itself. */
const MAX_UNSENT_BYTES = 8 * 1024 * 1024;

export class InspectServer implements AsyncDisposable {
  readonly #log: ExchangeLog;
  readonly #server = createServer((incoming, outgoing) => this.#serve(incoming, outgoing));
  #watchers = 0;

  private constructor(log: ExchangeLog) {
    this.#log = log;
  }

  /** Rejects with `failed_precondition` when the address is taken. */
  static async open(log: ExchangeLog, address: ListenAddress): Promise<InspectServer> {
    const inspect = new InspectServer(log);
    await listenOn(inspect.#server, address);
    return inspect;
  }

  /** Where it listens, with the real port. */
  get address(): ListenAddress {
    const { address, port } = this.#server.address() as AddressInfo;
    return { hostname: address, port };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }

  #serve(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const hosts = valuesOf(incoming.rawHeaders, "host");
    // A page that rebinds its own name to this machine comes with that name.
    if (hosts.length !== 1 || !LOOPBACK_HOSTS.includes(hostName(hosts[0]!))) {
      return answer(outgoing, 403, { type: "text/plain", text: "this page is for localhost only\n" });
    }
    const { method, url = "" } = incoming;
    if (method !== "GET") {
      return answer(outgoing, 405, { type: "text/plain", text: "only GET is served here\n" });
    }
    if (url === "/events") return this.#watch(outgoing);
    const file = Object.hasOwn(INSPECT_FILES, url) ? INSPECT_FILES[url] : undefined;
    if (file === undefined) return answer(outgoing, 404, { type: "text/plain", text: "nothing is here\n" });
    answer(outgoing, 200, file);
  }

  /** Sends everything that is kept, and then what changes. */
  #watch(outgoing: ServerResponse): void {
    if (this.#watchers === MAX_WATCHERS) {
      return answer(outgoing, 503, { type: "text/plain", text: "too many pages are open\n" });
    }
    this.#watchers++;
    outgoing.writeHead(200, { "content-type": "text/event-stream", ...SAFE_HEADERS });
    outgoing.flushHeaders();
    for (const exchange of this.#log.exchanges) send(outgoing, exchange);
    const changed = new Map<number, Exchange>();
    const unsubscribe = this.#log.subscribe((exchange) => {
      changed.set(exchange.id, exchange);
      // Who is far behind is told of the newest only.
      if (changed.size > MAX_CHANGED) changed.delete(changed.keys().next().value!);
    });
    const timer = setInterval(() => {
      for (const exchange of changed.values()) send(outgoing, exchange);
      changed.clear();
      if (outgoing.writableLength > MAX_UNSENT_BYTES) outgoing.destroy();
    }, SEND_INTERVAL_MS);
    outgoing.once("close", () => {
      this.#watchers--;
      clearInterval(timer);
      unsubscribe();
    });
  }
}

/** Exchanges that may change between two sendings; the page shows no more. */
const MAX_CHANGED = 200;

const SAFE_HEADERS = {
  "cache-control": "no-store",
  "content-security-policy": INSPECT_POLICY,
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

function answer(
  outgoing: ServerResponse,
  status: number,
  { type, text }: { type: string; text: string },
): void {
  const body = new TextEncoder().encode(text);
  outgoing.writeHead(status, { "content-type": type, "content-length": body.length, ...SAFE_HEADERS });
  outgoing.end(body);
}

function send(outgoing: ServerResponse, exchange: Exchange): void {
  const lines = inspectFragment(exchange).split(/\r\n|[\r\n]/).map((line) => `data: ${line}\n`);
  outgoing.write(`${lines.join("")}\n`);
}
