/** What providers of wasimoff_v1 are told of all the others (wasimoff-v1 4.1, 8.5). */

import { create } from "@bufbuild/protobuf";
import { Event_ClusterInfoSchema, Event_ThroughputSchema } from "../protocol/gen/wasimoff/v1/messages_pb.ts";
import type { PayloadV1 } from "../protocol/envelope_v1.ts";
import type { MessengerV1 } from "../protocol/messenger_v1.ts";

/** Comings and goings within this time are told together: a thousand at once would be a million messages. */
const GATHER_MS = 20;

export interface ClusterNumbers {
  /** Connected ones of all generations. */
  readonly providers: number;
  /** Tasks per second. */
  readonly throughput: number;
}

export class ClusterV1 {
  readonly #numbers: () => ClusterNumbers;
  readonly #members = new Set<MessengerV1>();
  #told = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(numbers: () => ClusterNumbers) {
    this.#numbers = numbers;
  }

  /** Tells a provider what happens until its connection ends; it and the others soon hear how many they are. */
  join(member: MessengerV1): void {
    this.#members.add(member);
    this.#announceSoon();
    member.signal.addEventListener("abort", () => {
      this.#members.delete(member);
      this.#announceSoon();
    }, { once: true });
  }

  /** To be called each second. */
  tick(): void {
    const { providers, throughput } = this.#numbers();
    this.#broadcast(create(Event_ThroughputSchema, { overall: throughput }));
    if (providers !== this.#told) this.#announceSoon(); // those of our own generation come and go, too
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#members.clear();
  }

  #announceSoon(): void {
    if (this.#members.size === 0) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#told = this.#numbers().providers;
      this.#broadcast(create(Event_ClusterInfoSchema, { providers: this.#told }));
    }, GATHER_MS);
  }

  #broadcast(event: PayloadV1): void {
    for (const member of this.#members) member.emit(event);
  }
}
