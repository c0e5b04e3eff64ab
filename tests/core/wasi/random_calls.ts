/** Calls of the interface with random arguments. */

import fc from "fast-check";
import { WASI_FUNCTIONS } from "../../../core/wasi/module_imports.ts";

const PAGE_BYTES = 65_536;

/** Descriptors that exist, pointers that are valid, and everything that is not. */
const i32 = fc.oneof(
  fc.integer({ min: 0, max: 8 }),
  fc.integer({ min: 0, max: PAGE_BYTES + 8 }),
  fc.integer(),
);
const i64 = fc.oneof(fc.bigInt({ min: 0n, max: 64n }), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }));

/** One of the functions, and as many arguments of the right types as it takes. */
export const randomCall = fc.constantFrom(...Object.entries(WASI_FUNCTIONS)).chain(([name, signature]) =>
  fc.record({
    name: fc.constant(name),
    args: fc.tuple(
      ...[...signature.split(":")[0]!].map((type): fc.Arbitrary<unknown> => type === "i" ? i32 : i64),
    ),
  })
);

/** Fills memory with `seed` again and again: with short names, small numbers, and pointers to themselves. */
export function fillMemory(memory: Uint8Array, seed: Uint8Array): void {
  memory.forEach((_, index) => memory[index] = seed[index % seed.length]!);
}
