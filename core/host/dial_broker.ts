/** Reaches an endpoint of a broker over what works, in the newest generation that it speaks (wasimoff-v1 3). */

import { type Code, WasimoffError } from "../errors.ts";
import type { Logger } from "../log.ts";
import { type EncodingV1, SUBPROTOCOL_V1_BINARY, SUBPROTOCOL_V1_JSON } from "../protocol/envelope_v1.ts";
import { SUBPROTOCOL_V2 } from "../protocol/limits.ts";
import type { MessagePipe } from "../protocol/messenger_v1.ts";
import type { Connection } from "../session/connection.ts";
import type { Dial } from "../session/dialer.ts";
import { type Leg, race } from "../transport/race.ts";
import { type Transport, TransportChoice } from "../transport/transport_choice.ts";
import { NoConfigError } from "./broker_config.ts";
import { BrokerWebTransport } from "./broker_webtransport.ts";
import { COMMON_TRUST, type ServerTrust } from "./server_trust.ts";
import { UnfinishedMessages } from "./unfinished_messages.ts";
import { WebSocketConnection } from "./websocket_connection.ts";
import { openWebSocket } from "./websocket_dialer.ts";
import { MESSAGE_WEBSOCKET_OPTIONS, WebSocketMessages } from "./websocket_messages.ts";

/** The two faces of one broker. Both URLs end with a slash; paths are resolved against them. */
export interface BrokerUrls {
  readonly http: URL;
  readonly webSocket: URL;
}

/** How a broker may be reached, and whom we take for it. */
export interface BrokerAccess {
  readonly transport: "auto" | Transport;
  readonly trust: ServerTrust;
  /** What is known of the transports of brokers, shared by all who dial. */
  readonly choice: TransportChoice;
}

export interface BrokerDialerOptions {
  readonly broker: BrokerUrls;
  readonly endpoint: "client" | "provider" | "tunnel";
  /** null for none. In v1 it has no other place than the header; in v2 it also is in the hello. */
  readonly token: string | null;
  /** Program and version; existing brokers refuse providers that name none. */
  readonly agent: string;
  /** Of the URL of the WebSocket. */
  readonly query?: Readonly<Record<string, string>>;
  /** Of WebSockets, in the order of preference; default ALL_PROTOCOLS. Without wasimoff_v2 nothing else is tried. */
  readonly protocols?: readonly string[];
  /** Default: any transport, common trust, nothing known. */
  readonly access?: BrokerAccess;
  readonly logger: Logger;
}

/** What the broker has chosen. */
export type BrokerConnection =
  | { readonly generation: 2; readonly dial: Dial }
  | { readonly generation: 1; readonly pipe: MessagePipe; readonly encoding: EncodingV1 };

/** In our order of preference; existing brokers do not know the first. */
export const ALL_PROTOCOLS: readonly string[] = [SUBPROTOCOL_V2, SUBPROTOCOL_V1_BINARY, SUBPROTOCOL_V1_JSON];

type Opened =
  | { readonly generation: 2; readonly transport: Transport; readonly connection: Connection }
  | Extract<BrokerConnection, { generation: 1 }> & { readonly transport: "websocket" };

export function anyAccess(): BrokerAccess {
  return { transport: "auto", trust: COMMON_TRUST, choice: new TransportChoice({ now: Date.now }) };
}

/** Dials for one peer, which has one connection at a time: one that is replaced soon counts against its transport. */
export class BrokerDialer {
  readonly #options: BrokerDialerOptions;
  readonly #access: BrokerAccess;
  readonly #webTransport: BrokerWebTransport;
  #last: { readonly transport: Transport; readonly openedAtMs: number } | null = null;

  constructor(options: BrokerDialerOptions) {
    this.#options = options;
    this.#access = options.access ?? anyAccess();
    const { broker: { http: broker }, endpoint, token, agent } = options;
    const { trust } = this.#access;
    this.#webTransport = new BrokerWebTransport({ broker, endpoint, token, agent, trust });
  }

  /** What the last connection was made over; null before the first. */
  get transport(): Transport | null {
    return this.#last?.transport ?? null;
  }

  /** Dials once, over all transports that may be. In the second generation `dial` of the result dials again. */
  async connect(signal: AbortSignal): Promise<BrokerConnection> {
    const opened = await this.#race(this.#options.protocols ?? ALL_PROTOCOLS, signal);
    if (opened.generation === 1) return opened;
    return { generation: 2, dial: startingWith(opened.connection, (signal) => this.#redial(signal)) };
  }

  async #redial(signal: AbortSignal): Promise<Connection> {
    const opened = await this.#race([SUBPROTOCOL_V2], signal);
    if (opened.generation === 2) return opened.connection;
    discard(opened);
    throw new WasimoffError("unimplemented", "the broker chose a protocol that was not offered");
  }

  async #race(protocols: readonly string[], signal: AbortSignal): Promise<Opened> {
    const { logger } = this.#options;
    const { choice } = this.#access;
    const broker = this.#options.broker.http.href;
    if (this.#last !== null) {
      choice.broke(broker, this.#last.transport, performance.now() - this.#last.openedAtMs);
    }
    const transports = this.#transports(protocols);
    const delays = choice.headStarts(broker);
    const legs = transports.map((transport) => this.#leg(transport, protocols, delays[transport]));
    try {
      const opened = await race(legs, { discard, signal });
      this.#last = { transport: opened.transport, openedAtMs: performance.now() };
      if (transports.length > 1) this.#remember(opened);
      logger.debug("connected to the broker", { transport: opened.transport });
      return opened;
    } catch (error) {
      throw error instanceof AggregateError ? failure(error.errors) : error;
    }
  }

  #remember({ generation, transport }: Opened): void {
    this.#access.choice.won(this.#options.broker.http.href, transport);
    if (generation === 2 && transport === "websocket") void this.#webTransport.learn();
  }

  #transports(protocols: readonly string[]): readonly Transport[] {
    const { transport } = this.#access;
    if (transport !== "auto") return [transport];
    return protocols.includes(SUBPROTOCOL_V2) ? ["websocket", "webtransport"] : ["websocket"];
  }

  #leg(transport: Transport, protocols: readonly string[], delayMs: number): Leg<Opened> {
    const open = async (signal: AbortSignal): Promise<Opened> => {
      try {
        if (transport === "websocket") return await this.#openWebSocket(protocols, signal);
        return { generation: 2, transport, connection: await this.#webTransport.dial(signal) };
      } catch (error) {
        const { message: reason } = WasimoffError.from(error);
        if (!signal.aborted) this.#options.logger.debug(`no connection over ${transport}`, { reason });
        throw error;
      }
    };
    return { delayMs, open };
  }

  #openWebSocket(protocols: readonly string[], signal: AbortSignal): Promise<Opened> {
    const { broker, endpoint, token, agent, query = {} } = this.#options;
    const url = new URL(`api/${endpoint}/ws`, broker.webSocket);
    for (const [key, value] of Object.entries(query)) url.searchParams.set(key, value);
    return openWebSocket<Opened>(url.href, {
      protocols,
      headers: {
        "user-agent": agent,
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      },
      trust: this.#access.trust,
      ...MESSAGE_WEBSOCKET_OPTIONS,
      adopt: (socket, duplex, protocol) =>
        protocol === SUBPROTOCOL_V2
          ? { generation: 2, transport: "websocket", connection: new WebSocketConnection(socket, duplex) }
          : {
            generation: 1,
            transport: "websocket",
            pipe: new WebSocketMessages(socket, duplex, new UnfinishedMessages()),
            encoding: protocol === SUBPROTOCOL_V1_JSON ? "json" : "binary",
          },
      signal,
    });
  }
}

/** The connection that is open already, then new ones. */
function startingWith(first: Connection, dial: Dial): Dial {
  let open: Connection | null = first;
  return (signal) => {
    if (open === null) return dial(signal);
    const connection = open;
    open = null;
    return Promise.resolve(connection);
  };
}

/** Says goodbye to a connection that came too late. */
function discard(opened: Opened): void {
  const reason = "another connection is used";
  if (opened.generation === 2) opened.connection.close("canceled", reason);
  else opened.pipe.close(1000, reason);
}

/** No waiting for another transport will change these. */
const DECIDING: readonly Code[] = ["unauthenticated", "permission_denied"];

/** One error for the ways that failed: the first alone when the others add nothing to it. */
function failure(errors: readonly unknown[]): WasimoffError {
  const [first, second] = errors.map((error) => WasimoffError.from(error));
  if (second === undefined || second instanceof NoConfigError) return first!;
  const code = second.retryable && !DECIDING.includes(first!.code) ? second.code : first!.code;
  const message = `${first!.message}; over WebTransport: ${second.message}`;
  return new WasimoffError(code, message, { cause: first });
}
