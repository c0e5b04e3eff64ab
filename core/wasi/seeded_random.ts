/** Random bytes that are the same every time: xoshiro128** of Blackman and Vigna. */

/** Four words of 32 bits, not all of them zero. */
export type Seed = readonly [number, number, number, number];

/**
 * Fills buffers from the sequence that belongs to a seed. Its period is 2^128 - 1, and it passes the usual
 * statistical tests; whoever has seen some of it can tell the rest, so it must not make keys.
 *
 * Source: "Scrambled linear pseudorandom number generators", https://prng.di.unimi.it/xoshiro128starstar.c
 */
export class SeededRandom {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  constructor(seed: Seed) {
    [this.#a, this.#b, this.#c, this.#d] = seed;
  }

  /** Takes whole words of the sequence, lowest byte first; what is left of the last one is dropped. */
  fill(bytes: Uint8Array): void {
    let word = 0;
    for (let at = 0; at < bytes.length; at++) {
      word = at % 4 === 0 ? this.#next() : word >>> 8;
      bytes[at] = word;
    }
  }

  #next(): number {
    const word = Math.imul(rotateLeft(Math.imul(this.#b, 5), 7), 9);
    const shifted = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = rotateLeft(this.#d, 11);
    return word;
  }
}

function rotateLeft(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}
