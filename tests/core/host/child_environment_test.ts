/** Tests of what our children get of our environment. */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { childEnvironment } from "../../../core/host/child_environment.ts";

/** Runs with variables set, and puts back what was there. */
function withVariables(variables: Readonly<Record<string, string>>, test: () => void): void {
  const before = Object.keys(variables).map((name) => [name, Deno.env.get(name)] as const);
  try {
    for (const [name, value] of Object.entries(variables)) Deno.env.set(name, value);
    test();
  } finally {
    for (const [name, value] of before) {
      value === undefined ? Deno.env.delete(name) : Deno.env.set(name, value);
    }
  }
}

Deno.test("childEnvironment() passes on where Deno finds its cache, and nothing else", () => {
  withVariables({ WASIMOFF_TOKEN: "secret", DENO_DIR: "/cache", HOME: "/home/me", PATH: "/bin" }, () => {
    const { DENO_DIR, HOME, XDG_CACHE_HOME: _, ...others } = childEnvironment();
    deepStrictEqual([DENO_DIR, HOME, others], ["/cache", "/home/me", {}]);
  });
});

Deno.test("childEnvironment() names a relative cache from the root, as children have another directory", () => {
  withVariables({ DENO_DIR: "some/cache" }, () => {
    strictEqual(childEnvironment().DENO_DIR, `${Deno.cwd()}/some/cache`);
  });
});
