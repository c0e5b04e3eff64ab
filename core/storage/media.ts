/** Media types of stored files, found by looking at their first bytes (wasimoff-v1 5.4). */

export const WASM_MEDIA = "application/wasm";
export const ZIP_MEDIA = "application/zip";
export const OTHER_MEDIA = "application/octet-stream";
/** Only as its sender names it: it looks like nothing. */
export const PYTHON_MEDIA = "text/x-python";

/** So many bytes decide the type. */
export const SNIFF_BYTES = 4;

/** Start of a module, of a ZIP, and of a ZIP without entries. */
const SIGNATURES: readonly (readonly [media: string, ...bytes: number[]])[] = [
  [WASM_MEDIA, 0x00, 0x61, 0x73, 0x6d],
  [ZIP_MEDIA, 0x50, 0x4b, 0x03, 0x04],
  [ZIP_MEDIA, 0x50, 0x4b, 0x05, 0x06],
];

/** The media type of content that starts with `head`; fewer than SNIFF_BYTES match nothing. */
export function sniffMedia(head: Uint8Array): string {
  for (const [media, ...bytes] of SIGNATURES) {
    if (bytes.every((byte, i) => head[i] === byte)) return media;
  }
  return OTHER_MEDIA;
}

/** Collects the first bytes of content that arrives in pieces. */
export class MediaSniffer {
  readonly #head = new Uint8Array(SNIFF_BYTES);
  #length = 0;

  update(chunk: Uint8Array): void {
    if (this.#length === SNIFF_BYTES) return;
    const piece = chunk.subarray(0, SNIFF_BYTES - this.#length);
    this.#head.set(piece, this.#length);
    this.#length += piece.length;
  }

  /** Whether more bytes change nothing. */
  get decided(): boolean {
    return this.#length === SNIFF_BYTES;
  }

  get media(): string {
    return sniffMedia(this.#head.subarray(0, this.#length));
  }
}
