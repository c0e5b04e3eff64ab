import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fc from "fast-check";
import type { ByteSink } from "../../../core/byte_stream.ts";
import { RepeatableSink } from "../../../core/broker/repeatable_sink.ts";
import { WasimoffError } from "../../../core/errors.ts";
import type { StartHash } from "../../../core/storage/file_store.ts";

const startHash: StartHash = () => {
  const hash = createHash("sha256");
  return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest("hex") };
};

function recorder() {
  const bytes: number[] = [];
  const ends: string[] = [];
  const sink: ByteSink = {
    write: (chunk) => void bytes.push(...chunk),
    end: () => void ends.push("end"),
    abort: (reason) => void ends.push(`abort: ${reason.message}`),
  };
  return { sink, bytes, ends };
}

const over = () => new WasimoffError("canceled", "over");

/** Writes all of `data` in pieces of `step` bytes. */
async function say(sink: ByteSink, data: readonly number[], step: number): Promise<void> {
  for (let i = 0; i < data.length; i += step) await sink.write(Uint8Array.from(data.slice(i, i + step)));
}

Deno.test("RepeatableSink makes several attempts at the same output look like one", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(255), { maxLength: 200 }),
      fc.array(fc.tuple(fc.nat(200), fc.integer({ min: 1, max: 50 })), { maxLength: 4 }),
      async (output, losses) => {
        const { sink, bytes, ends } = recorder();
        const repeatable = new RepeatableSink(sink, startHash);
        for (const [lostAfter, step] of losses) {
          await say(repeatable.attempt(), output.slice(0, lostAfter), step);
        }
        const last = repeatable.attempt();
        await say(last, output, 7);
        last.end();
        repeatable.close(over);
        assert.deepEqual(bytes, output);
        assert.deepEqual(ends, ["end"]);
      },
    ),
    { numRuns: 200 },
  );
});

Deno.test("RepeatableSink refuses a repetition that differs, and delivers none of it", async () => {
  const { sink, bytes } = recorder();
  const repeatable = new RepeatableSink(sink, startHash);
  await say(repeatable.attempt(), [1, 2, 3, 4], 2);
  const second = repeatable.attempt();
  await say(second, [1, 2, 3], 3);
  assert.throws(() => second.write(Uint8Array.of(9, 9)), { code: "data_loss" });
  assert.deepEqual(bytes, [1, 2, 3, 4]);
});

Deno.test("RepeatableSink refuses a repetition that ends too early", async () => {
  const { sink, ends } = recorder();
  const repeatable = new RepeatableSink(sink, startHash);
  await say(repeatable.attempt(), [1, 2, 3], 3);
  const second = repeatable.attempt();
  await say(second, [1, 2], 2);
  assert.throws(() => second.end(), { code: "data_loss" });
  repeatable.close(over);
  assert.deepEqual(ends, ["abort: over"]);
});

Deno.test("RepeatableSink drops what an earlier attempt still says", async () => {
  const { sink, bytes } = recorder();
  const repeatable = new RepeatableSink(sink, startHash);
  const first = repeatable.attempt();
  await say(first, [1], 1);
  repeatable.attempt();
  assert.throws(() => first.write(Uint8Array.of(2)), { code: "aborted" });
  assert.throws(() => first.end(), { code: "aborted" });
  assert.deepEqual(bytes, [1]);
});

Deno.test("RepeatableSink.close() aborts an output that was not complete", () => {
  const { sink, ends } = recorder();
  new RepeatableSink(sink, startHash).close(over);
  assert.deepEqual(ends, ["abort: over"]);
});

Deno.test("RepeatableSink.close() aborts when a lost attempt had ended its output and its successor has not", async () => {
  const { sink, ends } = recorder();
  const repeatable = new RepeatableSink(sink, startHash);
  const first = repeatable.attempt();
  await say(first, [1, 2], 2);
  first.end();
  await say(repeatable.attempt(), [1], 1);
  repeatable.close(over);
  assert.deepEqual(ends, ["abort: over"]);
});
