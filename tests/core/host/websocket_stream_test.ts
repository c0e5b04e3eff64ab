/** A WebSocket as a stream of bytes, over a double of the socket that sends when it is told to. */

import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { EventEmitter } from "node:events";
import FakeTimers from "@sinonjs/fake-timers";
// @ts-types="npm:@types/ws@8.18.2"
import type { WebSocket } from "ws";
import { WasimoffError } from "../../../core/errors.ts";
import type { MessageTransport } from "../../../core/host/websocket_messages.ts";
import { UnfinishedMessages } from "../../../core/host/unfinished_messages.ts";
import { WebSocketStream } from "../../../core/host/websocket_stream.ts";

class Socket extends EventEmitter {
  readonly OPEN = 1;
  readonly readyState = 1;
  readonly isPaused = false;
  readonly bufferedAmount = 0;
  readonly closes: number[] = [];
  readonly #unsent: (() => void)[] = [];
  pings = 0;

  send(_bytes: Uint8Array, sent: () => void): void {
    this.#unsent.push(sent);
  }

  /** The platform takes one message. */
  sendOne(): void {
    this.#unsent.shift()!();
  }

  close(code: number): void {
    this.closes.push(code);
  }

  terminate(): void {
    this.emit("close", 1006, "");
  }

  ping(): void {
    this.pings++;
  }

  pause(): void {}

  resume(): void {}
}

function open(unfinished = new UnfinishedMessages()) {
  const [socket, transport] = [new Socket(), new EventEmitter()];
  const stream = new WebSocketStream(
    socket as unknown as WebSocket,
    transport as unknown as MessageTransport,
    unfinished,
  );
  return { socket, transport, stream };
}

Deno.test("WebSocketStream closes when what was written has been sent", async () => {
  const { socket, stream } = open();
  await stream.writable.write(new Uint8Array(40_000));
  stream.writable.end();
  socket.sendOne();
  deepStrictEqual(socket.closes, []);
  socket.sendOne();
  deepStrictEqual(socket.closes, [1000]);
  socket.emit("close", 1000, "");
  strictEqual(await stream.readable.read(), null);
});

Deno.test("WebSocketStream tells a writer why nobody reads any more", async () => {
  const { socket, stream } = open();
  stream.readable.cancel(new WasimoffError("permission_denied", "not you"));
  await rejects(async () => await stream.writable.write(new Uint8Array(1)), { message: "not you" });
  deepStrictEqual(socket.closes, [1008]);
  socket.emit("close", 1008, "");
});

Deno.test("WebSocketStream gives up a peer that gives no sign of life for a minute", async () => {
  const clock = FakeTimers.install();
  try {
    const { socket, transport, stream } = open();
    void stream.writable.write(new Uint8Array(1));
    clock.tick(50_000);
    socket.sendOne(); // it takes what is sent
    clock.tick(50_000);
    transport.emit("data", new Uint8Array(2));
    clock.tick(59_000);
    const reading = stream.readable.read();
    clock.tick(30_000);
    await rejects(reading, { code: "unavailable", message: "peer was silent for too long" });
    strictEqual(socket.pings > 6, true);
    strictEqual(clock.countTimers(), 0);
  } finally {
    clock.uninstall();
  }
});

Deno.test("WebSocketStream leaves nothing behind in the count of messages that are not whole", async () => {
  const unfinished = new UnfinishedMessages(100);
  const { socket, transport, stream } = open(unfinished);
  const reading = stream.readable.read();
  transport.emit("data", new Uint8Array(101));
  socket.emit("message", new Uint8Array(90), true); // read before it was evicted
  await rejects(reading, { code: "resource_exhausted" });
  strictEqual(unfinished.bytes, 0);
});

Deno.test("WebSocketStream does not wait for a peer that leaves an abort without an answer", () => {
  const clock = FakeTimers.install();
  try {
    const { socket, stream } = open();
    stream.writable.abort(new WasimoffError("aborted", "connection was reset"));
    clock.tick(2_000);
    strictEqual(clock.countTimers(), 0);
    strictEqual(socket.closes.length, 1);
  } finally {
    clock.uninstall();
  }
});
