/** A pipe between a page and its Worker: each message is bytes, or the number of bytes that were taken. */

import { MAX_BLIND_OUTPUT_BYTES } from "../core/provider/output_allowance.ts";
import { MAX_FRAME_BYTES } from "../core/provider/slot_protocol.ts";

/** Bytes on their way after which a writer has to wait: posting a message never blocks. One large frame fits. */
export const PIPE_WINDOW_BYTES = MAX_FRAME_BYTES;
/** Taken bytes are told in large steps, so that small messages do not cost an answer each. */
const ACK_BYTES = PIPE_WINDOW_BYTES / 4;
/** More has never to be waiting here: the window, one frame more, and what a guest may write that cannot wait. */
export const MAX_WAITING_BYTES = PIPE_WINDOW_BYTES + 2 * MAX_FRAME_BYTES + MAX_BLIND_OUTPUT_BYTES;

type PostMessage = (message: Uint8Array | number, transfer: Transferable[]) => void;

/** One end; both are alike. */
export class MessagePipe {
  readonly #post: PostMessage;
  readonly #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  /** Taken by our reader, but the other side was not told yet. */
  #takenBytes = 0;
  /** Written by us, and not taken by the other side as far as we know. */
  #outstandingBytes = 0;
  #closed = false;
  /** Resolves with the next bytes or the end; null while nobody reads. */
  #arrival: PromiseWithResolvers<void> | null = null;
  /** Resolves when the writer may go on; null while nobody waits. */
  #room: PromiseWithResolvers<void> | null = null;

  constructor(post: PostMessage) {
    this.#post = post;
  }

  /** Takes a message of the other side; false when it does not keep to the protocol. */
  receive(message: unknown): boolean {
    if (typeof message === "number") return this.#acknowledge(message);
    if (!(message instanceof Uint8Array)) return false;
    this.#waitingBytes += message.length;
    if (this.#waitingBytes > MAX_WAITING_BYTES) return false;
    this.#waiting.push(message);
    this.#wake();
    return true;
  }

  /** The bytes of the next message; null after `close`. One reader at a time. */
  async read(): Promise<Uint8Array | null> {
    while (this.#waiting.length === 0 && !this.#closed) {
      this.#arrival ??= Promise.withResolvers();
      await this.#arrival.promise;
    }
    const bytes = this.#waiting.shift();
    if (bytes === undefined || this.#closed) return null;
    this.#waitingBytes -= bytes.length;
    this.#takenBytes += bytes.length;
    if (this.#takenBytes >= ACK_BYTES) {
      this.#post(this.#takenBytes, []);
      this.#takenBytes = 0;
    }
    return bytes;
  }

  /** Sends all bytes and takes their buffer over; a promise resolves when more may follow, or after `close`. */
  write(bytes: Uint8Array<ArrayBuffer>): void | Promise<void> {
    if (this.#closed) return;
    this.#outstandingBytes += bytes.length;
    this.#post(bytes, [bytes.buffer]);
    if (this.#outstandingBytes < PIPE_WINDOW_BYTES) return;
    this.#room ??= Promise.withResolvers();
    return this.#room.promise;
  }

  /** Ends all waiting; nothing is sent or read afterwards. */
  close(): void {
    this.#closed = true;
    this.#waiting.length = 0;
    this.#wake();
    this.#room?.resolve();
  }

  #acknowledge(bytes: number): boolean {
    if (!(bytes > 0 && bytes <= this.#outstandingBytes)) return false;
    this.#outstandingBytes -= bytes;
    if (this.#outstandingBytes < PIPE_WINDOW_BYTES) {
      this.#room?.resolve();
      this.#room = null;
    }
    return true;
  }

  #wake(): void {
    this.#arrival?.resolve();
    this.#arrival = null;
  }
}
