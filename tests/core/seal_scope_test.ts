/** Tests of what is taken away from the global scope of a Worker. */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { sealScope } from "../../core/seal_scope.ts";

Deno.test("sealScope() keeps what a slot needs and removes everything else, inherited or not", () => {
  const base = { addEventListener: 1, indexedDB: 2 };
  const scope = Object.assign(Object.create(base), { Uint8Array: 3, fetch: 4, inventedLater: 5 });
  deepStrictEqual(sealScope(scope), []);
  deepStrictEqual([Object.keys(scope), Object.keys(base)], [["Uint8Array"], ["addEventListener"]]);
  strictEqual("toString" in scope, true);
});

Deno.test("sealScope() names what does not go", () => {
  const scope = Object.defineProperty({}, "fetch", { value: 1, configurable: false });
  deepStrictEqual(sealScope(scope), ["fetch"]);
});

Deno.test("sealScope() keeps further names where it is told", () => {
  const scope = { eval: 1, fetch: 2 };
  deepStrictEqual([sealScope(scope, ["eval"]), Object.keys(scope)], [[], ["eval"]]);
});
