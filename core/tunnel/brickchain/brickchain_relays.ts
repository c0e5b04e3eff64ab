/** The WebSockets of one control connection, as its server has them. */

import type { WsMessage, WsResponse, WsTeardown } from "./brickchain_document.ts";
import type { BrickchainLane } from "./brickchain_lane.ts";
import { BrickchainRelay } from "./brickchain_relay.ts";

/** WebSockets of one client. */
export const MAX_RELAYS = 256;
/** How long a client may take to say whether its service takes a WebSocket. */
export const OPEN_TIMEOUT_MS = 30_000;

const CLOSE_NORMAL = 1000;
const CLOSE_REFUSED = 1011;

interface Entry {
  readonly relay: BrickchainRelay;
  readonly timer: ReturnType<typeof setTimeout>;
}

export class BrickchainRelays {
  readonly #lane: BrickchainLane;
  readonly #entries = new Map<string, Entry>();

  constructor(lane: BrickchainLane) {
    this.#lane = lane;
  }

  get full(): boolean {
    return this.#entries.size >= MAX_RELAYS;
  }

  /** A relay whose client has yet to say whether it is open. */
  expect(id: string): BrickchainRelay {
    const relay = new BrickchainRelay(id, this.#lane, () => {
      clearTimeout(timer);
      this.#entries.delete(id);
    });
    const timer = setTimeout(() => relay.end(CLOSE_REFUSED, "timeout"), OPEN_TIMEOUT_MS);
    this.#entries.set(id, { relay, timer });
    return relay;
  }

  /** What is said of relays that are over is dropped. */
  take(document: WsResponse | WsMessage | WsTeardown): void {
    const entry = this.#entries.get(document.id);
    if (entry === undefined) return;
    const { relay, timer } = entry;
    if (document.kind === "ws-teardown") return relay.finish(CLOSE_NORMAL, "");
    if (document.kind === "ws-response" && !document.ok) {
      return relay.finish(CLOSE_REFUSED, document.error || "service refused the WebSocket");
    }
    // Existing clients do not keep order: a message may come before the answer that it is open.
    clearTimeout(timer);
    relay.open();
    if (document.kind === "ws-message") relay.fromTunnel(document);
  }

  finishAll(code: number, reason: string): void {
    for (const { relay } of this.#entries.values()) relay.finish(code, reason);
  }
}
