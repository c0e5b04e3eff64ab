/** Watches one connection: speaks when we are silent, tells when the peer is. */

import { HEARTBEAT_INTERVAL_MS, SILENCE_TIMEOUT_MS, SUSPECT_AFTER_MS } from "../protocol/limits.ts";

/** What a heartbeat needs from its session. */
export interface HeartbeatOwner {
  sendHeartbeat(): void;
  /** The peer has been silent for SUSPECT_AFTER_MS, or speaks again. */
  suspected(suspect: boolean): void;
  /** The peer has been silent for SILENCE_TIMEOUT_MS. The heartbeat has stopped. */
  silent(): void;
}

/** One timer, set to whatever is due first. */
export class Heartbeat {
  readonly #owner: HeartbeatOwner;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #heardAt = performance.now();
  #nextBeatAt = performance.now() + HEARTBEAT_INTERVAL_MS;
  #suspect = false;
  #stopped = false;

  constructor(owner: HeartbeatOwner) {
    this.#owner = owner;
    this.#arm();
  }

  /** Every frame of the peer is a sign of life. */
  heard(): void {
    this.#heardAt = performance.now();
    if (!this.#suspect) return;
    this.#suspect = false;
    this.#owner.suspected(false);
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #arm(): void {
    if (this.#stopped) return; // by its owner, within one of the calls of `#tick`
    const silenceAt = this.#heardAt + (this.#suspect ? SILENCE_TIMEOUT_MS : SUSPECT_AFTER_MS);
    const waitMs = Math.max(1, Math.min(silenceAt, this.#nextBeatAt) - performance.now());
    this.#timer = setTimeout(() => this.#tick(), Math.ceil(waitMs));
  }

  #tick(): void {
    const now = performance.now();
    if (now >= this.#nextBeatAt) {
      this.#nextBeatAt = now + HEARTBEAT_INTERVAL_MS;
      this.#owner.sendHeartbeat();
    }
    if (this.#stopped) return;
    const silenceMs = now - this.#heardAt;
    if (silenceMs >= SILENCE_TIMEOUT_MS) return this.#owner.silent();
    if (!this.#suspect && silenceMs >= SUSPECT_AFTER_MS) {
      this.#suspect = true;
      this.#owner.suspected(true);
    }
    this.#arm();
  }
}
