/** The client's end of a session of tunnels: registers them, and carries their visitors to the service. */

import type { ByteDuplex } from "../byte_stream.ts";
import { codeFromNumber, WasimoffError } from "../errors.ts";
import {
  OpenTunnel_Kind as Kind,
  type OpenTunnelStream,
  type TunnelClosed,
} from "../protocol/gen/wasimoff/v2/wasimoff_pb.ts";
import { Messenger, type ResultInit } from "../protocol/messenger.ts";
import type { Session } from "../session/session.ts";
import { endDuplex, joinDuplexes } from "./join_duplexes.ts";
import type { Visitor } from "./public_tunnel.ts";
import { registrationBytes } from "./registration.ts";
import { acceptStreams } from "./stream_request.ts";
import type { TunnelIdentity } from "./tunnel_key.ts";

/** Reaches the service for one visitor; rejects with `unavailable` when it is not there. */
export type ReachService = (visitor: Visitor, signal: AbortSignal) => Promise<ByteDuplex>;

export interface TunnelRequest {
  readonly kind: "http" | "tcp";
  /** Empty for the id of the key. */
  readonly name: string;
  /** host[:port] of the broker as it was dialed. */
  readonly audience: string;
  /** SHA-256 of each allowed "user:password"; empty for no question. */
  readonly basicAuth: readonly Uint8Array[];
  /** Visitors' addresses; empty for all. */
  readonly allowCidrs: readonly string[];
  /** Public TCP port; 0 for any. */
  readonly port: number;
  /** The Host that the service is told; empty for the visitor's. */
  readonly hostHeader: string;
}

export interface OpenedTunnel {
  readonly name: string;
  /** Of an HTTP tunnel. */
  readonly url: string;
  /** Of a TCP tunnel; 0 for none. */
  readonly port: number;
  /** Aborted when nobody comes any more: the session has ended, or (`aborted`) another has taken over. */
  readonly signal: AbortSignal;
}

export interface TunnelClientOptions {
  readonly identity: TunnelIdentity;
  /** Random, the same in all sessions of this process. */
  readonly instance: Uint8Array;
}

interface Entry {
  readonly reach: ReachService;
  readonly ended: AbortController;
}

export class TunnelClient {
  readonly #session: Session;
  readonly #options: TunnelClientOptions;
  readonly #messenger: Messenger;
  readonly #tunnels = new Map<string, Entry>();
  /** Registrations that are not answered yet, whose visitors may come before the answer was looked at. */
  readonly #opening = new Set<Promise<unknown>>();

  constructor(session: Session, options: TunnelClientOptions) {
    this.#session = session;
    this.#options = options;
    session.signal.addEventListener("abort", () => {
      for (const { ended } of this.#tunnels.values()) ended.abort(session.signal.reason);
    }, { once: true });
    this.#messenger = new Messenger(session, {
      request: (method, { signal }) => {
        if (method.case === "openTunnelStream") return this.#serve(method.value, signal);
        throw new WasimoffError("unimplemented", "only streams of tunnels are served here");
      },
      event: (event) => {
        if (event.case === "tunnelClosed") this.#onClosed(event.value);
      },
    });
  }

  /** Opens a tunnel; rejects with the broker's error, or the session's cause. */
  async open(request: TunnelRequest, reach: ReachService, signal: AbortSignal): Promise<OpenedTunnel> {
    const opening = this.#open(request, reach, signal);
    const settled = opening.catch(() => {}).finally(() => this.#opening.delete(settled));
    this.#opening.add(settled);
    return await opening;
  }

  async #open(request: TunnelRequest, reach: ReachService, signal: AbortSignal): Promise<OpenedTunnel> {
    const { identity, instance } = this.#options;
    const asked = await this.#messenger.request({ case: "getTunnelNonce", value: {} }, { signal });
    if (asked.case !== "tunnelNonce") throw wrongAnswer();
    const { basicAuth, allowCidrs, ...fields } = request;
    const kind = request.kind === "http" ? Kind.HTTP : Kind.TCP;
    const signed = { ...fields, kind, instance, nonce: asked.value.nonce };
    const signature = await identity.sign(registrationBytes(signed));
    const value = {
      ...signed,
      key: identity.publicKey,
      signature,
      basicAuth: [...basicAuth],
      allowCidrs: [...allowCidrs],
    };
    const answer = await this.#messenger.request({ case: "openTunnel", value }, { signal });
    if (answer.case !== "tunnelOpened") throw wrongAnswer();
    const { tunnel, name, url, port } = answer.value;
    const ended = new AbortController();
    this.#tunnels.set(tunnel, { reach, ended });
    return { name, url, port, signal: ended.signal };
  }

  #onClosed({ tunnel, error }: TunnelClosed): void {
    const cause = new WasimoffError(
      codeFromNumber(error?.code ?? 0),
      error?.message ?? "broker closed the tunnel",
    );
    this.#tunnels.get(tunnel)?.ended.abort(cause);
    this.#tunnels.delete(tunnel);
  }

  async #serve(request: OpenTunnelStream, signal: AbortSignal): Promise<ResultInit> {
    const visitor = acceptStreams(this.#session, request); // before the first await: its first frame may follow
    try {
      if (!this.#tunnels.has(request.tunnel)) await Promise.all(this.#opening);
      const entry = this.#tunnels.get(request.tunnel);
      if (entry === undefined) throw new WasimoffError("not_found", "tunnel is not open here");
      const { address, port } = request;
      const service = await entry.reach({ address, port }, signal);
      void joinDuplexes(visitor, service, this.#session.signal);
      return { case: "tunnelStreamOpened", value: {} };
    } catch (error) {
      endDuplex(visitor, WasimoffError.from(error));
      throw error;
    }
  }
}

function wrongAnswer(): WasimoffError {
  return new WasimoffError("internal", "broker answered something else than was asked");
}
