import { deepStrictEqual, rejects, strictEqual, throws } from "node:assert/strict";
import { BytePipe, PIPE_BYTES, pipePair } from "../../core/byte_pipe.ts";
import { WasimoffError } from "../../core/errors.ts";

const OVER = new WasimoffError("aborted", "over");
const bytes = (...values: number[]) => Uint8Array.from(values);

Deno.test("BytePipe gives what was written in order, then the end", async () => {
  const pipe = new BytePipe();
  const early = pipe.read();
  strictEqual(pipe.write(bytes(1)), undefined);
  pipe.write(bytes());
  pipe.write(bytes(2, 3));
  pipe.end();
  deepStrictEqual([await early, await pipe.read(), await pipe.read(), await pipe.read()], [
    bytes(1),
    bytes(2, 3),
    null,
    null,
  ]);
  throws(() => pipe.write(bytes(4)), TypeError);
});

Deno.test("BytePipe lets the writer wait at its bound", async () => {
  const pipe = new BytePipe();
  let room = false;
  strictEqual(pipe.write(new Uint8Array(PIPE_BYTES - 1)), undefined);
  const wait = Promise.resolve(pipe.write(bytes(1))).then(() => room = true);
  await Promise.resolve();
  strictEqual(room, false);
  await pipe.read();
  await wait;
  strictEqual(room, true);
});

Deno.test("BytePipe.abort() takes back what was not read and tells the reader", async () => {
  const pipe = new BytePipe();
  pipe.write(bytes(1));
  pipe.abort(OVER);
  pipe.end();
  await rejects(pipe.read(), OVER);
  const waiting = new BytePipe();
  const read = waiting.read();
  waiting.abort(OVER);
  await rejects(read, OVER);
});

Deno.test("BytePipe.abort() does nothing after the end", async () => {
  const pipe = new BytePipe();
  pipe.write(bytes(1));
  pipe.end();
  pipe.abort(OVER);
  deepStrictEqual([await pipe.read(), await pipe.read()], [bytes(1), null]);
});

Deno.test("BytePipe.cancel() tells the writer, also one that waits", async () => {
  const pipe = new BytePipe();
  const wait = pipe.write(new Uint8Array(PIPE_BYTES));
  pipe.cancel(OVER);
  await rejects(Promise.resolve(wait), OVER);
  await rejects(Promise.resolve(pipe.write(bytes(1))), OVER);
});

Deno.test("pipePair() joins two ends both ways", async () => {
  const [a, b] = pipePair();
  a.writable.write(bytes(1));
  b.writable.write(bytes(2));
  deepStrictEqual([await b.readable.read(), await a.readable.read()], [bytes(1), bytes(2)]);
});
