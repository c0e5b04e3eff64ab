/** Tests of the bounded caches in memory. */

import { strictEqual } from "node:assert/strict";
import { LruCache } from "../../../core/provider/lru_cache.ts";

Deno.test("LruCache.set() forgets what was unused for longest when there are too many", () => {
  const cache = new LruCache<number>({ maxEntries: 2, maxBytes: 100 });
  cache.set("a", 1, 1);
  cache.set("b", 2, 1);
  strictEqual(cache.get("a"), 1);
  cache.set("c", 3, 1);
  strictEqual(cache.get("b"), undefined);
  strictEqual(cache.get("a"), 1);
  strictEqual(cache.get("c"), 3);
});

Deno.test("LruCache.set() forgets as many as the new bytes need", () => {
  const cache = new LruCache<string>({ maxEntries: 10, maxBytes: 10 });
  cache.set("a", "a", 4);
  cache.set("b", "b", 4);
  cache.set("c", "c", 9);
  strictEqual(cache.get("a"), undefined);
  strictEqual(cache.get("b"), undefined);
  strictEqual(cache.get("c"), "c");
  strictEqual(cache.bytes, 9);
});

Deno.test("LruCache.set() keeps nothing that is larger than the cache, and what was there", () => {
  const cache = new LruCache<string>({ maxEntries: 10, maxBytes: 10 });
  cache.set("a", "a", 4);
  cache.set("b", "b", 11);
  strictEqual(cache.get("a"), "a");
  strictEqual(cache.get("b"), undefined);
});

Deno.test("LruCache.set() counts a replaced value once", () => {
  const cache = new LruCache<number>({ maxEntries: 10, maxBytes: 10 });
  cache.set("a", 1, 6);
  cache.set("a", 2, 7);
  strictEqual(cache.get("a"), 2);
  strictEqual(cache.bytes, 7);
});
