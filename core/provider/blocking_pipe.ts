/** The slot's end of the pipe to its provider where everything blocks: Python runs on the only thread. */

import { decodeRun, type RunHeader } from "./slot_headers.ts";
import { MAX_FILE_BYTES } from "./slot_intake.ts";
import { broken, CHUNK_BYTES, decodeNumber, encodeFrame, encodeNumber, FRAME } from "./slot_protocol.ts";
import { type Frame, FrameDecoder, type FrameType } from "./slot_protocol.ts";
import { SlotStdin } from "./slot_stdin.ts";

/** The two ends of the pipe; both block. */
export interface PipeEnds {
  /** What has come, valid until the next read; null when the provider is gone. */
  readSync(): Uint8Array | null;
  /** Takes all bytes; throws when nobody will read them. */
  write(bytes: Uint8Array): void;
}

export class BlockingPipe {
  readonly #ends: PipeEnds;
  readonly #decoder = new FrameDecoder();
  readonly #frames: Frame[] = [];
  /** Of the task; null before it came. */
  #stdin: SlotStdin | null = null;

  constructor(ends: PipeEnds) {
    this.#ends = ends;
  }

  /** The file that comes next; null when the provider cannot have it. */
  file(): Uint8Array<ArrayBuffer> | null {
    const { type, payload } = this.#next();
    if (type === FRAME.FILE_FAILED) return null;
    if (type !== FRAME.FILE) throw broken(`a frame of type ${type} in place of a file`);
    const size = decodeNumber(payload);
    if (size > MAX_FILE_BYTES) throw broken("a file that is too large");
    const bytes = new Uint8Array(size);
    for (let at = 0; at < size;) {
      const chunk = this.#next();
      if (chunk.type !== FRAME.FILE_CHUNK || at + chunk.payload.length > size) {
        throw broken(`a frame of type ${chunk.type} within a file`);
      }
      bytes.set(chunk.payload, at);
      at += chunk.payload.length;
    }
    return bytes;
  }

  /** Asks for a file of the task; null when the provider cannot have it. */
  need(ref: string): Uint8Array<ArrayBuffer> | null {
    this.send(FRAME.NEED, new TextEncoder().encode(ref));
    return this.file();
  }

  /** The one task of this slot. */
  task(): RunHeader {
    const { type, payload } = this.#next();
    if (type !== FRAME.RUN) throw broken(`a frame of type ${type} before the task`);
    const header = decodeRun(payload);
    const grant = (bytes: number) => this.#ends.write(encodeNumber(FRAME.CREDIT, bytes));
    this.#stdin = new SlotStdin({ ended: !header.stdin, grant });
    return header;
  }

  /** Up to `max` bytes of stdin, at least one; empty at its end. */
  read(max: number): Uint8Array {
    const stdin = this.#stdin;
    if (stdin === null) throw broken("stdin before the task");
    for (;;) {
      const bytes = stdin.ready() === true ? stdin.read(max) : null;
      if (bytes instanceof Uint8Array) return bytes;
      const { type } = this.#next({ stdinToo: true });
      if (type !== FRAME.STDIN && type !== FRAME.STDIN_END) throw broken(`a frame of type ${type}`);
    }
  }

  /** Sends bytes of a stream, or one frame that fits. */
  send(type: FrameType, bytes: Uint8Array): void {
    for (let at = 0; at === 0 || at < bytes.length; at += CHUNK_BYTES) {
      this.#ends.write(encodeFrame(type, bytes.subarray(at, at + CHUNK_BYTES)));
    }
  }

  /** Blocks until the provider is gone, or ends this process. */
  drain(): void {
    while (this.#ends.readSync() !== null);
  }

  /** The next frame; those of stdin are taken on the way, and returned only where they are waited for. */
  #next({ stdinToo = false } = {}): Frame {
    for (;;) {
      const frame = this.#frames.shift();
      if (frame === undefined) {
        const bytes = this.#ends.readSync();
        if (bytes === null) throw broken("its pipe has ended");
        this.#frames.push(...this.#decoder.push(bytes));
        continue;
      }
      const isStdin = frame.type === FRAME.STDIN || frame.type === FRAME.STDIN_END;
      if (isStdin) this.#take(frame);
      if (!isStdin || stdinToo) return frame;
    }
  }

  #take({ type, payload }: Frame): void {
    if (this.#stdin === null) throw broken("stdin before the task");
    if (type === FRAME.STDIN) this.#stdin.push(payload);
    else this.#stdin.end();
  }
}
