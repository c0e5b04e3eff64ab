/** When a WebSocket of messages gives its peer up, on a fake clock. */

import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { type Clock, install } from "@sinonjs/fake-timers";
// @ts-types="npm:@types/ws@8.18.2"
import type { WebSocket } from "ws";
import { UnfinishedMessages } from "../../../core/host/unfinished_messages.ts";
import { WebSocketMessages } from "../../../core/host/websocket_messages.ts";

/** As much of a socket of ws as is used, with nobody behind it. */
class FakeSocket extends EventEmitter {
  readonly OPEN = 1;
  readonly CLOSED = 3;
  readyState = 1;
  bufferedAmount = 0;
  pings = 0;
  binaryType = "";
  ping = () => void this.pings++;
  pause = () => {};
  resume = () => {};
  send = () => {};
  close = () => {};
  cork = () => {};
  uncork = () => {};
  write = () => {};

  terminate(): void {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.emit("close", 1006, "");
  }
}

async function watched(
  run: (
    socket: FakeSocket,
    seen: string[],
    parts: { pipe: WebSocketMessages; clock: Clock },
  ) => Promise<void>,
): Promise<void> {
  const clock = install({ toFake: ["setTimeout", "clearTimeout", "setImmediate", "performance"] });
  try {
    const socket = new FakeSocket();
    const pipe = new WebSocketMessages(socket as unknown as WebSocket, socket, new UnfinishedMessages());
    const seen: string[] = [];
    pipe.start({
      onMessage: () => {},
      onSuspect: (suspect) => void seen.push(suspect ? "suspect" : "alive"),
      onClose: ({ message }) => void seen.push(message),
    });
    await run(socket, seen, { pipe, clock });
    socket.terminate();
    await pipe.closed;
    assert.equal(clock.countTimers(), 0);
  } finally {
    clock.uninstall();
  }
}

Deno.test("a silent peer is pinged every 3 s, suspected after 5 s, dropped after 10 s", () =>
  watched(async (socket, seen, { clock }) => {
    await clock.tickAsync(4_999);
    assert.deepEqual([socket.pings, seen], [1, []]);
    await clock.tickAsync(1);
    assert.deepEqual(seen, ["suspect"]);
    socket.emit("data", new Uint8Array(2));
    assert.deepEqual(seen, ["suspect", "alive"]);
    await clock.tickAsync(9_999);
    assert.deepEqual([socket.readyState, seen.length], [1, 3]);
    await clock.tickAsync(1);
    assert.deepEqual(seen.at(-1), "peer was silent for 10 s");
    assert.equal(socket.readyState, 3);
  }));

Deno.test("a peer that reads a long message has time for it, and not more", () =>
  watched(async (_socket, seen, { pipe, clock }) => {
    pipe.send(new Uint8Array(64 * 30_000));
    await clock.tickAsync(29_000);
    assert.deepEqual(seen, []);
    await clock.tickAsync(10_000);
    assert.deepEqual(seen, ["suspect", "peer was silent for 10 s"]);
  }));

Deno.test("who goes on for long after a goodbye is dropped", () =>
  watched((socket, seen, { pipe }) => {
    pipe.close(1000, "bye");
    for (let i = 0; i < 10_000; i++) socket.emit("message", new Uint8Array(1), true);
    assert.deepEqual(seen, []);
    socket.emit("message", new Uint8Array(1), true);
    assert.deepEqual(seen, ["bye"]);
    return Promise.resolve();
  }));

/** Connections that share 100 bytes for messages on their way. */
function sharing(count: number) {
  const unfinished = new UnfinishedMessages(100);
  const ended: string[] = [];
  const sockets = Array.from({ length: count }, (_, i) => {
    const socket = new FakeSocket();
    const pipe = new WebSocketMessages(socket as unknown as WebSocket, socket, unfinished);
    pipe.start({ onMessage: () => {}, onClose: ({ code }) => void ended.push(`${i}: ${code}`) });
    return socket;
  });
  const closeAll = () => sockets.forEach((socket) => socket.terminate());
  return { unfinished, ended, sockets, closeAll };
}

const arrive = (socket: FakeSocket, bytes: number) => socket.emit("data", new Uint8Array(bytes));

Deno.test("who holds most of an unfinished message goes first when all of them together hold too much", () => {
  const { unfinished, ended, sockets: [small, large, late], closeAll } = sharing(3);
  arrive(small!, 20);
  arrive(large!, 30);
  arrive(large!, 30);
  arrive(late!, 20);
  assert.deepEqual([unfinished.bytes, ended], [100, []]);
  arrive(small!, 1);
  assert.deepEqual([unfinished.bytes, ended], [41, ["1: resource_exhausted"]]);
  closeAll();
  assert.deepEqual([unfinished.bytes, ended.length], [0, 3]);
});

Deno.test("a message that is whole holds nothing any more, what came behind it does", () => {
  const { unfinished, sockets: [socket], closeAll } = sharing(1);
  arrive(socket!, 40);
  assert.equal(unfinished.bytes, 40);
  arrive(socket!, 20);
  socket!.emit("message", new Uint8Array(50), true);
  assert.equal(unfinished.bytes, 10);
  for (let i = 0; i < 100; i++) { // headers do not add up
    arrive(socket!, 9);
    socket!.emit("message", new Uint8Array(3), true);
  }
  assert.equal(unfinished.bytes, 9);
  closeAll();
});
