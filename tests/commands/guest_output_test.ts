/** Tests of passing the guest's output on. */

import assert from "node:assert/strict";
import { plainOutput } from "../../commands/guest_output.ts";
import type { WasimoffError } from "../../core/errors.ts";

Deno.test("plainOutput() writes every byte, also to a writer that takes few at a time", async () => {
  const taken: number[] = [];
  const stdout = { write: (bytes: Uint8Array) => Promise.resolve(taken.push(bytes[0]!) && 1) };
  const { stdout: sink } = plainOutput({ stdout, stderr: stdout, onClosed: () => assert.fail("closed") });
  await sink.write(Uint8Array.of(0, 255, 10, 13));
  sink.end();
  assert.deepEqual(taken, [0, 255, 10, 13]);
});

Deno.test("plainOutput() waits until the writer has taken the bytes", async () => {
  const { promise, resolve } = Promise.withResolvers<number>();
  const output = plainOutput({
    stdout: { write: () => promise },
    stderr: { write: () => promise },
    onClosed: () => assert.fail("closed"),
  });
  let done = false;
  const write = Promise.resolve(output.stdout.write(Uint8Array.of(1))).then(() => done = true);
  await Promise.resolve();
  assert.equal(done, false);
  resolve(1);
  await write;
  assert.equal(done, true);
});

Deno.test("plainOutput() says when its reader has gone, and fails the write", async () => {
  const closed: WasimoffError[] = [];
  const broken = { write: () => Promise.reject(new Deno.errors.BrokenPipe("broken pipe")) };
  const output = plainOutput({ stdout: broken, stderr: broken, onClosed: (reason) => closed.push(reason) });
  await assert.rejects(async () => await output.stdout.write(Uint8Array.of(1)), {
    code: "canceled",
    message: "the reader of the output has gone",
  });
  assert.equal(closed.length, 1);
});
