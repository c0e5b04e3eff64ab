import assert from "node:assert/strict";
import { ERRNO } from "../../../core/wasi/abi.ts";
import { GuestEnd } from "../../../core/wasi/guest.ts";
import { GuestCalls } from "./guest_calls.ts";

Deno.test("proc_raise ends a guest by every signal that ends a process or stops it, and by no other number", () => {
  for (let signal = -2; signal < 300; signal++) {
    const calls = new GuestCalls();
    const raise = () => calls.call("proc_raise", signal);
    if (signal < 0 || signal > 30) {
      assert.equal(raise(), ERRNO.INVAL, `${signal}`);
    } else if ([0, 16, 17, 22, 27].includes(signal)) {
      assert.equal(raise(), ERRNO.SUCCESS, `${signal}`);
    } else {
      assert.throws(raise, GuestEnd);
      assert.deepEqual(calls.guest.ending, { kind: "trap", message: `raised signal ${signal}` });
      continue;
    }
    assert.equal(calls.guest.ending, null);
  }
});

Deno.test("proc_exit takes any status for 32 bits without a sign", () => {
  for (
    const [given, status] of [[0, 0], [1, 1], [125, 125], [255, 255], [256, 256], [-1, 2 ** 32 - 1], [
      -(2 ** 31),
      2 ** 31,
    ]] as const
  ) {
    const calls = new GuestCalls();
    assert.throws(() => calls.call("proc_exit", given), GuestEnd);
    assert.deepEqual(calls.guest.ending, { kind: "exit", status });
  }
});

Deno.test("proc_exit is the end: no call after it does anything, whatever it asks for", () => {
  const calls = new GuestCalls();
  assert.throws(() => calls.call("proc_exit", 3), GuestEnd);
  assert.throws(() => calls.call("proc_exit", 4), GuestEnd);
  assert.throws(() => calls.call("proc_raise", 6), GuestEnd);
  assert.throws(() => calls.call("random_get", 0, 8), GuestEnd);
  assert.deepEqual(calls.guest.ending, { kind: "exit", status: 3 });
  assert.equal(calls.bytes[0], 0);
});

Deno.test("random_get asks for at most 64 KiB at a time and fills exactly what it was given", () => {
  const asked: number[] = [];
  const random = (bytes: Uint8Array) => {
    asked.push(bytes.length);
    bytes.fill(9);
  };
  const calls = new GuestCalls({ random }, 4);
  assert.equal(calls.call("random_get", 1, 2 * 65_536 + 5), ERRNO.SUCCESS);
  assert.deepEqual(asked, [65_536, 65_536, 5]);
  const filled = calls.bytes.reduce((sum, byte) => sum + Number(byte === 9), 0);
  assert.equal(filled, 2 * 65_536 + 5);
  assert.deepEqual([calls.bytes[0], calls.bytes[2 * 65_536 + 6]], [0, 0]);
});

Deno.test("random_get of nothing touches nothing, even at the end of memory", () => {
  const calls = new GuestCalls({ random: () => assert.fail("nothing was to be filled") });
  assert.equal(calls.call("random_get", 65_536, 0), ERRNO.SUCCESS);
  assert.equal(calls.call("random_get", 0, 0), ERRNO.SUCCESS);
  assert.equal(calls.call("random_get", 65_537, 0), ERRNO.FAULT);
});

Deno.test("sched_yield succeeds at once", () => {
  assert.equal(new GuestCalls().call("sched_yield"), ERRNO.SUCCESS);
});
