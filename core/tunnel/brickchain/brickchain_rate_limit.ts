/** How often the public may ask for one tunnel of a Brickchain client (brickchain.md 4). */

/** Requests and WebSocket opens alike. */
export const MAX_REQUESTS_PER_WINDOW = 500;
export const WINDOW_MS = 5 * 60_000;
/** Clients whose requests are counted; the one whose window is the oldest is forgotten first. */
export const MAX_WINDOWS = 20_000;

interface Window {
  readonly endsAt: number;
  count: number;
}

export class BrickchainRateLimit {
  /** In the order in which they began. */
  readonly #windows = new Map<string, Window>();

  /** Counts a request; false for one too many. `now` is in milliseconds and never goes back. */
  take(id: string, now: number): boolean {
    const window = this.#windows.get(id);
    if (window !== undefined && now < window.endsAt) return ++window.count <= MAX_REQUESTS_PER_WINDOW;
    this.#windows.delete(id);
    this.#forget(now);
    this.#windows.set(id, { endsAt: now + WINDOW_MS, count: 1 });
    return true;
  }

  #forget(now: number): void {
    for (const [id, { endsAt }] of this.#windows) {
      if (now < endsAt && this.#windows.size < MAX_WINDOWS) return;
      this.#windows.delete(id);
    }
  }
}
