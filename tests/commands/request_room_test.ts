/** Tests of what fits into a request. */

import assert from "node:assert/strict";
import { requestRoom } from "../../commands/request_room.ts";

Deno.test("requestRoom() leaves for the input what arguments and variables do not take", () => {
  assert.equal(requestRoom([], []), 56 * 1024);
  assert.equal(requestRoom(["a", "ä"], ["K=V"]), 56 * 1024 - (1 + 2 + 3) - 3 * 4);
});

Deno.test("requestRoom() refuses arguments that do not fit, and says what to do instead", () => {
  const most = "x".repeat(56 * 1024 - 4);
  assert.equal(requestRoom([most], []), 0);
  assert.throws(() => requestRoom([`${most}x`], []), {
    code: "out_of_range",
    message: /have 57345 bytes and a request holds 56KiB: .* standard input/,
  });
});
