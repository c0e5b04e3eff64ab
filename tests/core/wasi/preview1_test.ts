import assert from "node:assert/strict";
import { WASI_FUNCTIONS } from "../../../core/wasi/module_imports.ts";
import { NAMESPACES } from "../../../core/wasi/preview1.ts";
import { Collected, runFixture } from "./guest_fixture.ts";

Deno.test("NAMESPACES holds exactly the 46 functions that modules may import, under both names", () => {
  const expected = Object.keys(WASI_FUNCTIONS).toSorted();
  assert.equal(expected.length, 46);
  for (const name of ["wasi_snapshot_preview1", "wasi_unstable"]) {
    assert.deepEqual([...NAMESPACES.get(name)!.keys()].toSorted(), expected);
  }
});

Deno.test("NAMESPACES functions take as many arguments as their signatures say", () => {
  // Some need fewer than they get; none may want more.
  for (const functions of NAMESPACES.values()) {
    for (const [name, implementation] of functions) {
      const parameters = WASI_FUNCTIONS[name]!.split(":")[0]!.length;
      assert(implementation.length <= parameters + 1, name);
    }
  }
});

for (const name of ["files", "escape", "hostile"]) {
  Deno.test(`preview 1 passes all checks of ${name}.c`, async () => {
    const stderr = new Collected();
    const { ending } = await runFixture(name, [], { stderr });
    assert.equal(stderr.text, "");
    assert.deepEqual(ending, { kind: "exit", status: 0 });
  });
}

Deno.test("wasi_unstable has its own layouts and its own order of whence", async () => {
  const { ending } = await runFixture("unstable");
  assert.deepEqual(ending, { kind: "exit", status: 42 });
});
