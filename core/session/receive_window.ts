/** Which sequenced frames of the peer have come, where they may overtake each other. */

import { WasimoffError } from "../errors.ts";
import { MAX_FRAMES_AHEAD } from "../protocol/limits.ts";

const BITS_PER_WORD = 32;

/** Counts frames from the session's begin, by their numbers from 1, across connections. */
export class ReceiveWindow {
  #received = 0;
  #ahead = 0;
  /** A bit for each number that came ahead, in a ring; made when the first one does. */
  #bits: Uint32Array | null = null;

  /** All frames up to this number have come: what an acknowledgement says. */
  get received(): number {
    return this.#received;
  }

  /** Whether no frame has come ahead of a missing one. */
  get complete(): boolean {
    return this.#ahead === 0;
  }

  /**
   * Notes a frame; false for one that has come before. Throws `invalid_argument` for a number that the peer
   * cannot have reached.
   */
  add(number: number): boolean {
    if (number === this.#received + 1) {
      this.#received = number;
      if (this.#ahead > 0) this.#catchUp();
      return true;
    }
    if (number < 1 || number > this.#received + MAX_FRAMES_AHEAD) {
      throw new WasimoffError("invalid_argument", `received frame ${number} after ${this.#received} frames`);
    }
    if (number <= this.#received || this.#has(number)) return false;
    this.#flip(number);
    this.#ahead++;
    return true;
  }

  #catchUp(): void {
    while (this.#has(this.#received + 1)) {
      this.#received++;
      this.#flip(this.#received);
      this.#ahead--;
    }
  }

  #has(number: number): boolean {
    const index = number % MAX_FRAMES_AHEAD;
    return ((this.#bits?.[Math.floor(index / BITS_PER_WORD)] ?? 0) >>> (index % BITS_PER_WORD) & 1) === 1;
  }

  #flip(number: number): void {
    const index = number % MAX_FRAMES_AHEAD;
    this.#bits ??= new Uint32Array(MAX_FRAMES_AHEAD / BITS_PER_WORD);
    this.#bits[Math.floor(index / BITS_PER_WORD)]! ^= 1 << (index % BITS_PER_WORD);
  }
}
