/** Receives inside a slot the one file that it has asked for. */

import { WasimoffError } from "../errors.ts";
import { broken, decodeNumber } from "./slot_protocol.ts";

/** Of a module or a ZIP, as it is sent to a slot. */
export const MAX_FILE_BYTES = 256 * 1024 * 1024;

/** Asked for, but not yet begun; or arriving. */
interface Incoming {
  readonly done: PromiseWithResolvers<Uint8Array>;
  bytes: Uint8Array | null;
  received: number;
}

/** One file at a time; anything unexpected throws `internal`. */
export class SlotIntake {
  #incoming: Incoming | null = null;

  /** Resolves with the next file that arrives whole. */
  expect(): Promise<Uint8Array> {
    const done = Promise.withResolvers<Uint8Array>();
    this.#incoming = { done, bytes: null, received: 0 };
    return done.promise;
  }

  begin(payload: Uint8Array): void {
    const incoming = this.#incoming;
    const size = decodeNumber(payload);
    if (incoming === null || incoming.bytes !== null || size > MAX_FILE_BYTES) {
      throw broken("a file that nobody asked for");
    }
    incoming.bytes = new Uint8Array(size);
    this.#finishWhenWhole(incoming);
  }

  add(chunk: Uint8Array): void {
    const incoming = this.#incoming;
    if (!incoming?.bytes || incoming.received + chunk.length > incoming.bytes.length) {
      throw broken("bytes beyond the end of a file");
    }
    incoming.bytes.set(chunk, incoming.received);
    incoming.received += chunk.length;
    this.#finishWhenWhole(incoming);
  }

  fail(): void {
    this.#incoming?.done.reject(new WasimoffError("not_found", "cannot load a file of the task"));
    this.#incoming = null;
  }

  #finishWhenWhole({ bytes, received, done }: Incoming): void {
    if (bytes === null || received < bytes.length) return;
    this.#incoming = null;
    done.resolve(bytes);
  }
}
