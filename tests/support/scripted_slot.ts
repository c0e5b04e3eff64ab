/** The process of a slot whose every word the test writes. */

import type { ProcessUsage, SlotProcess } from "../../core/provider/slot_process.ts";
import {
  encodeFrame,
  FRAME,
  type Frame,
  FrameDecoder,
  type FrameType,
} from "../../core/provider/slot_protocol.ts";

export class ScriptedProcess implements SlotProcess {
  /** What the provider has sent. */
  readonly received: Frame[] = [];
  killed = false;
  /** What the host says of it; null when it cannot tell. */
  used: ProcessUsage | null = null;
  readonly #decoder = new FrameDecoder();
  readonly #exited = Promise.withResolvers<string>();
  readonly #output: Uint8Array[] = [];
  #arrival = Promise.withResolvers<void>();

  get exited(): Promise<string> {
    return this.#exited.promise;
  }

  /** The slot writes a frame. */
  say(type: FrameType, payload: Uint8Array | string = ""): void {
    this.sayRaw(encodeFrame(type, typeof payload === "string" ? new TextEncoder().encode(payload) : payload));
  }

  sayRaw(bytes: Uint8Array): void {
    this.#output.push(bytes);
    this.#arrival.resolve();
  }

  /** The process ends by itself. */
  exit(how: string): void {
    this.#exited.resolve(how);
    this.#arrival.resolve();
  }

  async read(): Promise<Uint8Array | null> {
    await this.#arrival.promise;
    const next = this.#output.shift();
    if (this.killed || next === undefined) return null;
    if (this.#output.length === 0) this.#arrival = Promise.withResolvers();
    return next;
  }

  write(bytes: Uint8Array): Promise<void> {
    this.received.push(...this.#decoder.push(bytes));
    return Promise.resolve();
  }

  usage(): ProcessUsage | null {
    return this.used;
  }

  kill(): Promise<void> {
    this.killed = true;
    this.exit("signal SIGKILL");
    return Promise.resolve();
  }

  /** Types of the frames from the provider, by name. */
  get heard(): string[] {
    const names = new Map<number, string>(Object.entries(FRAME).map(([name, type]) => [type, name]));
    return this.received.map(({ type }) => names.get(type)!);
  }
}
