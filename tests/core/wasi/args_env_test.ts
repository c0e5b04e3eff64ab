import assert from "node:assert/strict";
import { ERRNO } from "../../../core/wasi/abi.ts";
import { GuestCalls } from "./guest_calls.ts";

const DECODER = new TextDecoder("utf-8", { ignoreBOM: true });

/** Strings as a program finds them with the two calls `names` names, and the bytes they take. */
function read(
  calls: GuestCalls,
  [sizes, get]: readonly [string, string],
): { strings: string[]; bytes: number } {
  assert.equal(calls.call(sizes, 0, 4), ERRNO.SUCCESS);
  const count = calls.view.getUint32(0, true);
  const bytes = calls.view.getUint32(4, true);
  assert.equal(calls.call(get, 16, 4096), ERRNO.SUCCESS);
  const strings = Array.from({ length: count }, (_, index) => {
    const at = calls.view.getUint32(16 + index * 4, true);
    return DECODER.decode(calls.bytes.subarray(at, calls.bytes.indexOf(0, at)));
  });
  return { strings, bytes };
}

const ARGS = ["args_sizes_get", "args_get"] as const;
const ENVIRON = ["environ_sizes_get", "environ_get"] as const;

for (const [key, names] of [["args", ARGS], ["env", ENVIRON]] as const) {
  Deno.test(`${names[1]} gives empty, long and non-ASCII strings in order`, () => {
    const strings = ["", "a", "", "größer=日本🦕", "x".repeat(1024 * 1024), "\ufeffmark", "\n"];
    const calls = new GuestCalls({ [key]: strings }, 20);
    const found = read(calls, names);
    assert.equal(found.strings.length, strings.length);
    // One by one: a difference of a megabyte is no message.
    for (const [index, string] of strings.entries()) {
      assert(found.strings[index] === string, `string ${index}`);
    }
    assert.equal(found.bytes, 1 + 2 + 1 + 20 + 1024 * 1024 + 1 + 8 + 2);
  });

  Deno.test(`${names[1]} of no strings writes nothing`, () => {
    const calls = new GuestCalls({ [key]: [] });
    assert.deepEqual(read(calls, names), { strings: [], bytes: 0 });
    calls.bytes.fill(7);
    assert.equal(calls.call(names[1], 100, 200), ERRNO.SUCCESS);
    assert(calls.bytes.every((byte) => byte === 7));
  });

  Deno.test(`${names[1]} gives many strings`, () => {
    const strings = Array.from({ length: 900 }, (_, index) => `K${index}=${index}`);
    const found = read(new GuestCalls({ [key]: strings }, 2), names);
    assert.deepEqual(found.strings, strings);
  });
}
