import assert from "node:assert/strict";
import type { ByteSource } from "../../../core/byte_stream.ts";
import { WasimoffError } from "../../../core/errors.ts";
import { KeptBytes } from "../../../core/broker/kept_bytes.ts";
import {
  FREE_KEPT_STDIN_BYTES,
  MAX_KEPT_STDIN_BYTES,
  RepeatableSource,
} from "../../../core/broker/repeatable_source.ts";

/** A source that gives what is pushed, as it is pushed. */
function scripted(): ByteSource & {
  push(chunk: Uint8Array | null | WasimoffError): void;
  cancelled: string[];
} {
  const items: (Uint8Array | null | WasimoffError)[] = [];
  let waiting: PromiseWithResolvers<Uint8Array | null> | null = null;
  const cancelled: string[] = [];
  const settle = () => {
    if (waiting === null || items.length === 0) return;
    const item = items.shift()!;
    const { resolve, reject } = waiting;
    waiting = null;
    if (item instanceof WasimoffError) reject(item);
    else resolve(item);
  };
  return {
    cancelled,
    push: (item) => {
      items.push(item);
      settle();
    },
    read: () => {
      assert.equal(waiting, null, "two reads at once");
      waiting = Promise.withResolvers();
      const { promise } = waiting;
      settle();
      return promise;
    },
    cancel: (reason) => void cancelled.push(reason.message),
  };
}

const bytes = (...values: number[]) => new Uint8Array(values);

Deno.test("RepeatableSource gives a second attempt the same bytes from the start", async () => {
  const source = scripted();
  const repeatable = new RepeatableSource(source, () => assert.fail("must stay repeatable"), new KeptBytes());
  source.push(bytes(1, 2));
  source.push(bytes(3));
  source.push(null);
  const first = repeatable.attempt();
  assert.deepEqual(await first.read(), bytes(1, 2));
  const second = repeatable.attempt();
  assert.deepEqual(await second.read(), bytes(1, 2));
  assert.deepEqual(await second.read(), bytes(3));
  assert.equal(await second.read(), null);
  assert.equal(await second.read(), null);
});

Deno.test("RepeatableSource hands a read of a lost attempt to its successor", async () => {
  const source = scripted();
  const repeatable = new RepeatableSource(source, () => {}, new KeptBytes());
  const lost = repeatable.attempt().read();
  const next = repeatable.attempt().read();
  source.push(bytes(7));
  assert.deepEqual(await next, bytes(7));
  await assert.rejects(lost, { code: "aborted" });
});

Deno.test("RepeatableSource tells once when it keeps no more, and goes on for the attempt that reads", async () => {
  const source = scripted();
  let told = 0;
  const repeatable = new RepeatableSource(source, () => told++, new KeptBytes());
  const attempt = repeatable.attempt();
  const half = new Uint8Array(MAX_KEPT_STDIN_BYTES / 2);
  for (let i = 0; i < 4; i++) {
    source.push(half);
    assert.equal((await attempt.read())?.length, half.length);
    assert.equal(told, i < 2 ? 0 : 1);
  }
  source.push(null);
  assert.equal(await attempt.read(), null);
});

Deno.test("RepeatableSource passes a failing stdin on to every attempt", async () => {
  const source = scripted();
  const repeatable = new RepeatableSource(source, () => {}, new KeptBytes());
  const cause = new WasimoffError("unavailable", "client is gone");
  const read = repeatable.attempt().read();
  source.push(cause);
  await assert.rejects(read, cause);
  await assert.rejects(repeatable.attempt().read(), cause);
});

Deno.test("RepeatableSource.close() cancels the source; an attempt's cancel does not", async () => {
  const source = scripted();
  const repeatable = new RepeatableSource(source, () => {}, new KeptBytes());
  const attempt = repeatable.attempt();
  attempt.cancel(new WasimoffError("canceled", "guest reads no more"));
  assert.deepEqual(source.cancelled, []);
  await assert.rejects(attempt.read(), { code: "aborted" });
  repeatable.close();
  assert.deepEqual(source.cancelled, ["task has ended"]);
});

Deno.test("all tasks together keep a bounded amount beyond the first part of each", async () => {
  const kept = new KeptBytes(100);
  const unrepeatable: string[] = [];
  const open = async (name: string, more: number) => {
    const source = scripted();
    const repeatable = new RepeatableSource(source, () => unrepeatable.push(name), kept);
    const attempt = repeatable.attempt();
    for (const length of [FREE_KEPT_STDIN_BYTES, more]) {
      source.push(new Uint8Array(length));
      await attempt.read();
    }
    return repeatable;
  };
  const first = await open("first", 60);
  const second = await open("second", 60);
  assert.deepEqual(unrepeatable, ["second"]);
  const third = await open("third", 40);
  assert.deepEqual(unrepeatable, ["second"]);
  for (const repeatable of [first, second, third]) repeatable.close();
  assert.equal(kept.take(101), false);
  assert.equal(kept.take(100), true, "everything was given back");
});
