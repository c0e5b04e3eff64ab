import assert from "node:assert/strict";
import fc from "fast-check";
import { bindFunction } from "../../../core/wasi/function_binding.ts";
import { Guest, GuestEnd } from "../../../core/wasi/guest.ts";
import { WASI_FUNCTIONS } from "../../../core/wasi/module_imports.ts";
import { NAMESPACES } from "../../../core/wasi/preview1.ts";
import { makeProgram } from "./guest_fixture.ts";
import { moduleOf } from "./module_bytes.ts";

const PAGE_BYTES = 65_536;

/** Descriptors that exist, pointers that are valid, and everything that is not. */
const i32 = fc.oneof(
  fc.integer({ min: 0, max: 8 }),
  fc.integer({ min: 0, max: PAGE_BYTES + 8 }),
  fc.integer(),
);
const i64 = fc.oneof(fc.bigInt({ min: 0n, max: 64n }), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }));

const call = fc.constantFrom(...Object.entries(WASI_FUNCTIONS)).chain(([name, signature]) =>
  fc.record({
    name: fc.constant(name),
    args: fc.tuple(
      ...[...signature.split(":")[0]!].map((type): fc.Arbitrary<unknown> => type === "i" ? i32 : i64),
    ),
  })
);

/** A guest with files to play with and a memory full of short names. */
function makeGuest(seed: Uint8Array): Guest {
  const guest = new Guest(makeProgram(moduleOf()));
  const memory = new WebAssembly.Memory({ initial: 1 });
  new Uint8Array(memory.buffer).forEach((_, index, all) => all[index] = seed[index % seed.length]!);
  guest.memory.attach(memory);
  return guest;
}

for (const [namespace, functions] of NAMESPACES) {
  Deno.test(`${namespace} answers any arguments with an errno or the end of the guest`, async () => {
    const seeds = fc.uint8Array({ minLength: 1, maxLength: 64 });
    await fc.assert(
      fc.asyncProperty(seeds, fc.array(call, { minLength: 1, maxLength: 40 }), async (seed, calls) => {
        const guest = makeGuest(seed);
        for (const { name, args } of calls) {
          if (guest.ending !== null) return;
          try {
            const errno = await bindFunction(functions.get(name)!, guest, true)(...args);
            assert(Number.isInteger(errno) && errno >= 0 && errno <= 76, `${name}: ${errno}`);
          } catch (error) {
            assert(error instanceof GuestEnd, `${name}: ${error}`);
          }
        }
      }),
      { numRuns: 150 },
    );
  });
}
