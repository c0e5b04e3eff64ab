/** Tests of the pipe between a page and its Worker. */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { MAX_WAITING_BYTES, MessagePipe, PIPE_WINDOW_BYTES } from "../../web/message_pipe.ts";

/** Two ends whose messages arrive when `deliver` is called; null where one has refused its message. */
function connectedPipes() {
  const mail: [MessagePipe, unknown][] = [];
  const post = (to: () => MessagePipe) => (message: Uint8Array | number, transfer: Transferable[]) =>
    void mail.push([to(), structuredClone(message, { transfer })]);
  const page: MessagePipe = new MessagePipe(post(() => worker));
  const worker: MessagePipe = new MessagePipe(post(() => page));
  const deliver = () => mail.splice(0).every(([to, message]) => to.receive(message));
  return { page, worker, deliver };
}

async function settles(promise: Promise<void>): Promise<boolean> {
  let settled = false;
  void promise.then(() => settled = true);
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  return settled;
}

Deno.test("MessagePipe passes bytes in order, in both directions, and takes their buffers over", async () => {
  const { page, worker, deliver } = connectedPipes();
  const sent = Uint8Array.of(1, 2);
  strictEqual(page.write(sent), undefined);
  strictEqual(sent.length, 0);
  page.write(Uint8Array.of(3));
  worker.write(Uint8Array.of(4));
  const early = page.read();
  strictEqual(deliver(), true);
  deepStrictEqual([await worker.read(), await worker.read(), await early], [
    ...[Uint8Array.of(1, 2), Uint8Array.of(3), Uint8Array.of(4)],
  ]);
});

Deno.test("MessagePipe.write() has to wait at the window until the other side has read", async () => {
  const { page, worker, deliver } = connectedPipes();
  strictEqual(page.write(new Uint8Array(PIPE_WINDOW_BYTES - 1)), undefined);
  const waiting = page.write(new Uint8Array(1))!;
  deliver();
  strictEqual(await settles(waiting), false);
  await worker.read();
  deliver();
  strictEqual(await settles(waiting), true);
  strictEqual(page.write(new Uint8Array(1)), undefined);
});

Deno.test("MessagePipe never leaves a writer waiting for a reader who has read everything", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: PIPE_WINDOW_BYTES / 2 }), { maxLength: 30 }),
      async (sizes) => {
        const { page, worker, deliver } = connectedPipes();
        for (const size of sizes) {
          const room = page.write(new Uint8Array(size));
          deliver();
          strictEqual((await worker.read())?.length, size);
          deliver();
          strictEqual(room === undefined || await settles(room), true);
        }
      },
    ),
    { numRuns: 20 },
  );
});

Deno.test("MessagePipe.receive() refuses what is no part of the protocol", () => {
  const { page } = connectedPipes();
  page.write(new Uint8Array(10));
  for (const message of [null, "text", {}, new ArrayBuffer(1), 0, -1, 11, NaN, Infinity, [1]]) {
    strictEqual(page.receive(message), false, String(message));
  }
  strictEqual(page.receive(10), true);
  strictEqual(page.receive(1), false);
});

Deno.test("MessagePipe.receive() refuses more than may ever wait", () => {
  const { page } = connectedPipes();
  strictEqual(page.receive(new Uint8Array(MAX_WAITING_BYTES)), true);
  strictEqual(page.receive(new Uint8Array(1)), false);
});

Deno.test("MessagePipe.close() ends the reader and the writer who wait, and sends nothing more", async () => {
  const posted: unknown[] = [];
  const pipe = new MessagePipe((message) => void posted.push(message));
  const reading = pipe.read();
  const writing = pipe.write(new Uint8Array(PIPE_WINDOW_BYTES))!;
  pipe.receive(new Uint8Array(1));
  pipe.close();
  strictEqual(await reading, null);
  await writing;
  strictEqual(pipe.write(new Uint8Array(1)), undefined);
  strictEqual(await pipe.read(), null);
  strictEqual(posted.length, 1);
});
