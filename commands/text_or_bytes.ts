/** Cuts a stream of bytes into pieces of text, and into pieces of bytes where it is not UTF-8. */

export type Piece = { readonly text: string } | { readonly bytes: Uint8Array };

/** Bytes that the start of a UTF-8 sequence promises, by its first byte; 1 also for what cannot start one. */
function sequenceLength(byte: number): number {
  if (byte >= 0xc2 && byte < 0xe0) return 2;
  if (byte >= 0xe0 && byte < 0xf0) return 3;
  return byte >= 0xf0 && byte < 0xf5 ? 4 : 1;
}

/** How many bytes at the end are the start of a sequence that is not complete: 0 to 3. */
function incompleteTail(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back]!;
    if ((byte & 0xc0) === 0x80) continue;
    return sequenceLength(byte) > back ? back : 0;
  }
  return 0;
}

/** Keeps the start of a character back until its rest has come, so that chunks may end anywhere. */
export class TextOrBytes {
  readonly #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  #tail = new Uint8Array();

  /** The piece that is complete with this chunk; null when it is all kept back. */
  push(chunk: Uint8Array): Piece | null {
    const bytes = new Uint8Array(this.#tail.length + chunk.length);
    bytes.set(this.#tail);
    bytes.set(chunk, this.#tail.length);
    const whole = bytes.length - incompleteTail(bytes);
    this.#tail = bytes.slice(whole);
    return whole === 0 ? null : this.#piece(bytes.subarray(0, whole));
  }

  /** What was kept back when the stream has ended: it is no text. */
  end(): Piece | null {
    const tail = this.#tail;
    this.#tail = new Uint8Array();
    return tail.length === 0 ? null : { bytes: tail };
  }

  #piece(bytes: Uint8Array): Piece {
    try {
      return { text: this.#decoder.decode(bytes) };
    } catch {
      return { bytes };
    }
  }
}
