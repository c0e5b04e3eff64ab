/** What every FileStore must do, as tests that run against each implementation. */

import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { WasimoffError } from "../../core/errors.ts";
import type { FileStore } from "../../core/storage/file_store.ts";
import { chunks, collect, refOf, wasmLike } from "./chunks.ts";

/** Opens an empty store of a size; `use` gets it and everything is removed afterwards. */
export type WithStore = (maxTotalBytes: number, use: (store: FileStore) => Promise<void>) => Promise<void>;

const KIB = 1024;
const code = (expected: string) => (error: unknown) => {
  ok(error instanceof WasimoffError, String(error));
  strictEqual(error.code, expected, error.message);
  return true;
};

export function testFileStore(kind: string, withStore: WithStore): void {
  const test = (name: string, use: (store: FileStore) => Promise<void>, maxTotalBytes = 1024 * KIB) =>
    Deno.test(`${kind}.${name}`, () => withStore(maxTotalBytes, use));

  test("put() keeps bytes, media type and size under their hash", async (store) => {
    const bytes = wasmLike(300_000);
    const file = { ref: refOf(bytes), media: "application/wasm", size: 300_000 };
    deepStrictEqual(await store.put(chunks(bytes, 9_999)), file);
    deepStrictEqual(await store.stat(file.ref), file);
    deepStrictEqual(await store.list(), [file]);
    deepStrictEqual(new Uint8Array((await store.bytes(file.ref))!), bytes);
    deepStrictEqual(await collect((await store.read(file.ref))!), bytes);
  });

  test("put() keeps an empty file", async (store) => {
    const file = await store.put(chunks(new Uint8Array(0)));
    strictEqual(file.ref, "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    strictEqual(file.media, "application/octet-stream");
    strictEqual((await collect((await store.read(file.ref))!)).length, 0);
  });

  test("put() of the same content twice keeps it once", async (store) => {
    const bytes = wasmLike(600 * KIB);
    const [a, b] = await Promise.all([
      store.put(chunks(bytes.subarray(0, 400 * KIB), 65536)),
      store.put(chunks(bytes.subarray(0, 400 * KIB), 65536)),
    ]);
    deepStrictEqual(a, b);
    strictEqual((await store.list()).length, 1);
    await store.put(chunks(wasmLike(600 * KIB, 1), 65536)); // fits only if the first counts once
    strictEqual((await store.list()).length, 2);
  });

  test("put() does not keep views of the chunks", async (store) => {
    const buffer = wasmLike(100);
    const reused = async function* () {
      for (let i = 0; i < 3; i++) {
        await Promise.resolve();
        buffer[50] = i;
        yield buffer;
      }
    };
    const { ref } = await store.put(reused());
    const bytes = (await store.bytes(ref))!;
    deepStrictEqual([bytes[50], bytes[150], bytes[250]], [0, 1, 2]);
    strictEqual(refOf(bytes), ref);
  });

  test("put() leaves nothing behind when the hash differs", async (store) => {
    const bytes = wasmLike(1000);
    await rejects(store.put(chunks(bytes), { expectedRef: refOf(wasmLike(1000, 1)) }), code("data_loss"));
    strictEqual(await store.stat(refOf(bytes)), null);
    deepStrictEqual(await store.list(), []);
  });

  test("put() stops reading at the limit and gives the space back", async (store) => {
    let sent = 0;
    const endless = async function* () {
      for (; sent < 1e9; sent += 100) yield await Promise.resolve(new Uint8Array(100));
    };
    await rejects(store.put(endless(), { maxBytes: 1_000 }), code("out_of_range"));
    strictEqual(sent, 1_000);
    await store.put(chunks(wasmLike(1024 * KIB), 65536)); // the whole store is free
    strictEqual((await store.put(chunks(wasmLike(1000)), { maxBytes: 1000 })).size, 1000);
  });

  test("put() passes on the error of its body", async (store) => {
    const broken = async function* () {
      yield await Promise.resolve(new Uint8Array(500));
      throw new WasimoffError("unavailable", "peer left");
    };
    await rejects(store.put(broken()), code("unavailable"));
    await store.put(chunks(wasmLike(1024 * KIB), 65536));
  });

  test("put() ends when its signal is aborted while the body hangs", async (store) => {
    const controller = new AbortController();
    const hangs = {
      [Symbol.asyncIterator]: () => ({
        next: () => {
          controller.abort(new WasimoffError("deadline_exceeded", "too slow"));
          return new Promise<IteratorResult<Uint8Array>>(() => {});
        },
      }),
    };
    await rejects(store.put(hangs, { signal: controller.signal }), code("deadline_exceeded"));
    deepStrictEqual(await store.list(), []);
  });

  test("put() refuses what does not fit and evicts nothing for it", async (store) => {
    const kept = await store.put(chunks(wasmLike(500)));
    const unpin = store.pin(kept.ref);
    await rejects(store.put(chunks(wasmLike(600, 1), 600)), code("resource_exhausted"));
    deepStrictEqual(await store.list(), [kept]);
    unpin();
    strictEqual((await store.put(chunks(wasmLike(600, 1), 600))).size, 600);
    strictEqual(await store.read(kept.ref), null);
  }, 1000);

  test("put() evicts the files unused for longest, pinned ones never", async (store) => {
    const [a, b, c] = [
      await store.put(chunks(wasmLike(300, 1))),
      await store.put(chunks(wasmLike(300, 2))),
      await store.put(chunks(wasmLike(300, 3))),
    ];
    await store.bytes(a.ref); // b is now the oldest, then c
    const unpin = store.pin(b.ref);
    const d = await store.put(chunks(wasmLike(300, 4)));
    deepStrictEqual((await store.list()).map(({ ref }) => ref), [d.ref, a.ref, b.ref]);
    strictEqual(await store.stat(c.ref), null);
    unpin();
    unpin(); // once is enough, twice is harmless
    await store.put(chunks(wasmLike(300, 5)));
    strictEqual(await store.stat(b.ref), null);
  }, 1000);

  test("read() gives exactly the range", async (store) => {
    const bytes = wasmLike(300_000);
    const { ref } = await store.put(chunks(bytes, 65536));
    for (
      const [start, end] of [[0, 1], [1, 4], [299_999, 300_000], [100_000, 299_000], [5, 5], [0, 300_000]]
    ) {
      const range = { start: start!, end: end! };
      deepStrictEqual(
        await collect((await store.read(ref, range))!),
        bytes.slice(start, end),
        `${start}-${end}`,
      );
    }
  });

  test("read() can be cancelled", async (store) => {
    const { ref } = await store.put(chunks(wasmLike(700_000), 65536));
    const reader = (await store.read(ref))!.getReader();
    ok(((await reader.read()).value?.length ?? 0) > 0);
    await reader.cancel();
  });

  test("delete() removes a file, pinned or not", async (store) => {
    const { ref } = await store.put(chunks(wasmLike(100)));
    store.pin(ref);
    strictEqual(await store.delete(ref), true);
    strictEqual(await store.delete(ref), false);
    strictEqual(await store.stat(ref), null);
    strictEqual(await store.bytes(ref), null);
    strictEqual(await store.read(ref), null);
    deepStrictEqual(await store.list(), []);
  });
}
