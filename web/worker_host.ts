/** The Worker around the inside of a slot. */

import { delay } from "../core/delay.ts";
import type { SlotHost } from "../core/provider/slot_host.ts";
import { systemClock } from "../core/wasi/system_clock.ts";
import { findJspi } from "../core/wasi/jspi.ts";
import { MessagePipe } from "./message_pipe.ts";

/** What setTimeout can count to. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** What is needed of the global scope of a Worker. */
export interface MessageScope {
  postMessage(message: unknown, transfer: Transferable[]): void;
  addEventListener(type: "message", listener: (event: MessageEvent<unknown>) => void): void;
}

/** Speaks with the page through messages; takes from the scope what it needs before that is sealed. */
export function workerHost(scope: MessageScope): SlotHost {
  const pipe = new MessagePipe(scope.postMessage.bind(scope));
  scope.addEventListener("message", ({ data }) => {
    if (!pipe.receive(data)) throw new TypeError("the page sent what is no part of the protocol");
  });
  let guestsBytes = 0;
  return {
    read: () => pipe.read(),
    // A copy, which is then handed over: the caller goes on using its buffer.
    write: (bytes) => pipe.write(bytes.slice()),
    turn: createTurn(),
    // A Worker cannot ask, and when dead instances are collected is up to the browser: they all count as alive.
    rssBytes: (guestBytes) => guestsBytes += guestBytes,
    heapIsBounded: false,
    clock: systemClock({
      sleep: (ms, signal) => delay(Math.min(ms, MAX_TIMER_MS), signal),
      ...(findJspi() === null ? { block } : {}),
    }),
    random: (bytes) => void crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>),
  };
}

/** Nothing else stops a Worker that may not share memory; the page ends it when its time is over. */
function block(ms: number): void {
  for (const untilMs = performance.now() + ms; performance.now() < untilMs;);
}

/** A turn by a message to ourselves: browsers make nested timers wait 4 ms. */
function createTurn(): () => Promise<void> {
  const { port1, port2 } = new MessageChannel();
  const turns: (() => void)[] = [];
  port1.onmessage = () => turns.shift()?.();
  return () =>
    new Promise((resolve) => {
      turns.push(resolve);
      port2.postMessage(null);
    });
}
