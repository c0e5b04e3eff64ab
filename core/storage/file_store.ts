/** What the broker and the provider need from a store of content-addressed files. */

/** A reference: `sha256:` and 64 lower-case hex digits over the content. */
export type FileRef = `sha256:${string}`;

const REF = /^sha256:[0-9a-f]{64}$/;

/** Whether a text is a reference; anything else is a name. */
export function isFileRef(text: string): text is FileRef {
  return REF.test(text);
}

export interface StoredFile {
  readonly ref: FileRef;
  /** Media type, found by looking at the content (see media.ts). */
  readonly media: string;
  /** Bytes. */
  readonly size: number;
}

export interface PutOptions {
  /** More bytes than this end the put with `out_of_range` before they are kept. */
  readonly maxBytes?: number;
  /** Other content than this ends the put with `data_loss`. */
  readonly expectedRef?: FileRef;
  readonly signal?: AbortSignal;
}

/** Half-open range of bytes, `end` excluded. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Files by the hash of their content. A file is visible only when it is whole and its hash is known; content
 * is verified when it is read back from a medium that may rot. The total size is bounded: the files unused for
 * longest go first, pinned ones never; when nothing can go, `put` rejects with `resource_exhausted`.
 */
export interface FileStore {
  /** Hashes and keeps the bytes while they arrive. Rejects without leaving anything half-written. */
  put(body: AsyncIterable<Uint8Array>, options?: PutOptions): Promise<StoredFile>;
  stat(ref: FileRef): Promise<StoredFile | null>;
  /** The content, or a range of it, as a stream; null when there is no such file. Counts as a use. */
  read(ref: FileRef, range?: ByteRange): Promise<ReadableStream<Uint8Array> | null>;
  /** The whole content, verified; null when there is no such file; `data_loss` when it has rotted. */
  bytes(ref: FileRef): Promise<Uint8Array | null>;
  delete(ref: FileRef): Promise<boolean>;
  /** Every file, most recently used first. */
  list(): Promise<StoredFile[]>;
  /** Keeps a file from eviction until the returned function is called (once). */
  pin(ref: FileRef): () => void;
}

/** A hash over bytes that arrive in pieces; Web Crypto has none, so the host passes one in. */
export interface StreamingHash {
  update(bytes: Uint8Array): void;
  /** Lower-case hex; the hash cannot be used afterwards. */
  digest(): string;
}

export type StartHash = () => StreamingHash;
