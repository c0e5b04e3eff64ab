import assert from "node:assert/strict";
import fc from "fast-check";
import { GuestEnd } from "../../../core/wasi/guest.ts";
import { NAMESPACES } from "../../../core/wasi/preview1.ts";
import { GuestCalls } from "./guest_calls.ts";
import { fillMemory, randomCall } from "./random_calls.ts";

/** Input that makes a guest wait at every second read. */
function lateInput() {
  let reads = 0;
  return {
    ready: () => Promise.resolve(),
    read(max: number) {
      const bytes = new Uint8Array(Math.min(max, 3));
      return reads++ % 2 === 0 ? bytes : Promise.resolve(bytes);
    },
  };
}

for (const namespace of NAMESPACES.keys()) {
  Deno.test(`${namespace} answers any arguments with an errno or the end of the guest`, async () => {
    const seeds = fc.uint8Array({ minLength: 1, maxLength: 64 });
    await fc.assert(
      fc.asyncProperty(seeds, fc.array(randomCall, { minLength: 1, maxLength: 40 }), async (seed, calls) => {
        const guest = new GuestCalls({ stdin: lateInput() });
        fillMemory(guest.bytes, seed);
        for (const { name, args } of calls) {
          try {
            const errno = await guest.callIn(namespace, name, args);
            assert(Number.isInteger(errno) && errno >= 0 && errno <= 76, `${name}: ${errno}`);
          } catch (error) {
            assert(error instanceof GuestEnd, `${name}: ${error}`);
            assert.notEqual(guest.guest.ending, null);
            return;
          }
        }
      }),
      { numRuns: 150 },
    );
  });
}
