/** Two ends of a pipe of whole messages in memory, in place of a WebSocket of wasimoff_v1. */

import { WasimoffError } from "../../core/errors.ts";
import type { MessagePipe, MessagePipeHandler } from "../../core/protocol/messenger_v1.ts";

export type Message = Uint8Array | string;

export class MemoryMessages implements MessagePipe {
  /** Everything that this end has sent. */
  readonly sent: Message[] = [];
  /** How it was closed, by either end. */
  closed: { readonly code: number; readonly reason: string } | null = null;
  full = false;
  #peer: MemoryMessages | null = null;
  #handler: MessagePipeHandler | null = null;
  #held: Message[] = [];
  #drained = Promise.withResolvers<void>();

  /** Two joined ends. */
  static pair(): [MemoryMessages, MemoryMessages] {
    const [a, b] = [new MemoryMessages(), new MemoryMessages()];
    [a.#peer, b.#peer] = [b, a];
    return [a, b];
  }

  send(message: Message): void {
    if (this.closed !== null) return;
    this.sent.push(message);
    queueMicrotask(() => this.#peer!.#receive(message));
  }

  drained(): Promise<void> {
    return this.full && this.closed === null ? this.#drained.promise : Promise.resolve();
  }

  /** Ends a time in which the test had set `full`. */
  drain(): void {
    this.full = false;
    this.#drained.resolve();
    this.#drained = Promise.withResolvers();
  }

  start(handler: MessagePipeHandler): void {
    this.#handler = handler;
    for (const message of this.#held.splice(0)) handler.onMessage(message);
  }

  suspect(suspect: boolean): void {
    this.#handler?.onSuspect?.(suspect);
  }

  close(code: number, reason: string): void {
    if (this.closed !== null) return;
    queueMicrotask(() => this.#peer!.#end(code, reason));
    this.#end(code, reason);
  }

  #receive(message: Message): void {
    if (this.closed !== null) return;
    if (this.#handler === null) this.#held.push(message);
    else this.#handler.onMessage(message);
  }

  #end(code: number, reason: string): void {
    if (this.closed !== null) return;
    this.closed = { code, reason };
    this.drain();
    this.#handler?.onClose(new WasimoffError("unavailable", `closed with ${code}: ${reason}`));
  }
}
