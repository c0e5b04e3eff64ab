/** Tests of the provider's files. */

import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { startHash } from "../../../core/host/hash.ts";
import { WasimoffError } from "../../../core/errors.ts";
import { type FetchFile, FileCache } from "../../../core/provider/file_cache.ts";
import type { FileRef } from "../../../core/storage/file_store.ts";
import { MemoryStore } from "../../../core/storage/memory_store.ts";
import { chunks, refOf, wasmLike } from "../../support/chunks.ts";

const never = new AbortController().signal;
const FILE = wasmLike(100);
const REF = refOf(FILE);

function openCache(fetchFile: FetchFile) {
  const store = new MemoryStore({ startHash, maxTotalBytes: 1_000_000 });
  const fetched: FileRef[] = [];
  const cache = new FileCache({
    store,
    fetchFile: (ref, signal) => {
      fetched.push(ref);
      return fetchFile(ref, signal);
    },
  });
  return { cache, store, fetched };
}

Deno.test("FileCache.get() fetches a file once and keeps it in memory and in the store", async () => {
  const { cache, store, fetched } = openCache(() => Promise.resolve(chunks(FILE)));
  deepStrictEqual(await cache.get(REF, never), FILE);
  deepStrictEqual(await store.bytes(REF), FILE);
  await store.delete(REF);
  deepStrictEqual(await cache.get(REF, never), FILE);
  deepStrictEqual(fetched, [REF]);
});

Deno.test("FileCache.get() takes from the store what is there", async () => {
  const { cache, store, fetched } = openCache(() => Promise.reject(new TypeError("unused")));
  await store.put(chunks(FILE));
  deepStrictEqual(await cache.get(REF, never), FILE);
  deepStrictEqual(fetched, []);
});

Deno.test("FileCache.get() fetches once for all who ask at the same time", async () => {
  const { cache, fetched } = openCache(() => Promise.resolve(chunks(FILE)));
  const all = await Promise.all([cache.get(REF, never), cache.get(REF, never), cache.get(REF, never)]);
  for (const bytes of all) deepStrictEqual(bytes, FILE);
  deepStrictEqual(fetched, [REF]);
});

Deno.test("FileCache.get() rejects with data_loss when the content is another, and keeps nothing", async () => {
  const { cache, store } = openCache(() => Promise.resolve(chunks(wasmLike(100, 1))));
  await rejects(cache.get(REF, never), { code: "data_loss" });
  strictEqual(await store.stat(REF), null);
});

Deno.test("FileCache.get() passes on not_found and tries anew the next time", async () => {
  let there = false;
  const { cache, fetched } = openCache(() => {
    return there ? Promise.resolve(chunks(FILE)) : Promise.reject(new WasimoffError("not_found", "no file"));
  });
  await rejects(cache.get(REF, never), { code: "not_found" });
  there = true;
  deepStrictEqual(await cache.get(REF, never), FILE);
  strictEqual(fetched.length, 2);
});

Deno.test("FileCache.get() goes on fetching for the others when one leaves, and stops after the last", async () => {
  const body = Promise.withResolvers<AsyncIterable<Uint8Array>>();
  const signals: AbortSignal[] = [];
  const { cache } = openCache((_ref, signal) => {
    signals.push(signal);
    return body.promise;
  });
  const aborts = [new AbortController(), new AbortController()] as const;
  const gets = aborts.map(({ signal }) => cache.get(REF, signal));
  const reason = new WasimoffError("canceled", "task is gone");
  aborts[0].abort(reason);
  await rejects(gets[0]!, reason);
  strictEqual(signals[0]!.aborted, false);
  aborts[1].abort(reason);
  await rejects(gets[1]!, reason);
  strictEqual(signals[0]!.aborted, true);
  body.reject(signals[0]!.reason);
});

Deno.test("FileCache.get() fetches again what has rotted in the store", async () => {
  const { cache, store, fetched } = openCache(() => Promise.resolve(chunks(FILE)));
  await store.put(chunks(FILE));
  const bytes = store.bytes.bind(store);
  let rotten = true;
  store.bytes = (ref) => {
    if (!rotten) return bytes(ref);
    rotten = false;
    return Promise.reject(new WasimoffError("data_loss", "file has rotted"));
  };
  deepStrictEqual(await cache.get(REF, never), FILE);
  deepStrictEqual(fetched, [REF]);
});
