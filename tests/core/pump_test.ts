import { deepEqual, equal } from "node:assert/strict";
import type { ByteSink, ByteSource } from "../../core/byte_stream.ts";
import { WasimoffError } from "../../core/errors.ts";
import { pump } from "../../core/pump.ts";

const OVER = new WasimoffError("aborted", "attempt is over");

function sourceOf(...texts: string[]) {
  const source = {
    cancelled: null as WasimoffError | null,
    read: () => {
      const text = texts.shift();
      return Promise.resolve(text === undefined ? null : new TextEncoder().encode(text));
    },
    cancel: (reason: WasimoffError) => void (source.cancelled = reason),
  };
  return source satisfies ByteSource;
}

function sinkThat(fails: Partial<ByteSink>) {
  const written: string[] = [];
  const sink: ByteSink = {
    write: (chunk) => void written.push(new TextDecoder().decode(chunk)),
    end: () => void written.push("end"),
    abort: ({ code }) => void written.push(code),
    ...fails,
  };
  return { sink, written };
}

Deno.test("pump() moves everything and ends the sink", async () => {
  const { sink, written } = sinkThat({});
  equal(await pump(sourceOf("a", "b"), sink), null);
  deepEqual(written, ["a", "b", "end"]);
});

Deno.test("pump() resolves with the sink's cause when its end is refused, and never rejects", async () => {
  const { sink } = sinkThat({
    end: () => {
      throw OVER;
    },
  });
  const source = sourceOf("a");
  deepEqual(await pump(source, sink), { side: "sink", cause: OVER });
  equal(source.cancelled, OVER);
});

Deno.test("pump() cancels the source when a write is refused", async () => {
  const { sink } = sinkThat({ write: () => Promise.reject(OVER) });
  const source = sourceOf("a", "b");
  deepEqual(await pump(source, sink), { side: "sink", cause: OVER });
  equal(source.cancelled, OVER);
});

Deno.test("pump() aborts the sink when the source fails", async () => {
  const { sink, written } = sinkThat({});
  const source: ByteSource = { read: () => Promise.reject(OVER), cancel: () => {} };
  deepEqual(await pump(source, sink), { side: "source", cause: OVER });
  deepEqual(written, ["aborted"]);
});

Deno.test("pump() releases the chunks of large buffers when the sink has done with them", async () => {
  const chunks = [
    new Uint8Array(32 * 1024),
    new Uint8Array(32 * 1024 - 1),
    new Uint8Array(64 * 1024).subarray(9, 10),
  ];
  const [left, released, done] = [[...chunks], [] as Uint8Array[], [] as (() => void)[]];
  const source: ByteSource = {
    read: () => Promise.resolve(left.shift() ?? null),
    release: (chunk) => void released.push(chunk),
    cancel: () => {},
  };
  const { sink } = sinkThat({ write: (_, over) => void (over && done.push(over)) });
  equal(await pump(source, sink), null);
  deepEqual([done.length, released.length], [2, 0]);
  for (const over of done) over();
  deepEqual([released[0] === chunks[0], released[1] === chunks[2]], [true, true]);
});
