/** Tests of a standard input that is complete before its guest starts. */

import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { MAX_WHOLE_STDIN_BYTES, WholeStdin } from "../../../core/provider/whole_stdin.ts";

/** One whose grants are added up. */
function openStdin(ended = false) {
  let granted = 0;
  const stdin = new WholeStdin({ ended, grant: (bytes) => void (granted += bytes) });
  return { stdin, granted: () => granted };
}

Deno.test("WholeStdin is complete at its end and is then read in order, at most as much as asked for", async () => {
  const { stdin, granted } = openStdin();
  stdin.push(Uint8Array.of(1, 2, 3));
  stdin.push(new Uint8Array());
  stdin.push(Uint8Array.of(4));
  stdin.end();
  strictEqual(await stdin.complete(), null);
  strictEqual(granted(), 4);
  deepStrictEqual([2, 2, 2, 2].map((max) => [...stdin.read(max)]), [[1, 2], [3], [4], []]);
});

Deno.test("WholeStdin is complete at once when the task has none", async () => {
  const { stdin } = openStdin(true);
  strictEqual(await stdin.complete(), null);
  strictEqual(stdin.read(10).length, 0);
});

Deno.test("WholeStdin takes what it may keep, and says what is wrong with the next byte", async () => {
  const { stdin, granted } = openStdin();
  stdin.push(new Uint8Array(MAX_WHOLE_STDIN_BYTES));
  stdin.push(new Uint8Array(1));
  stdin.end();
  match(await stdin.complete() ?? "", /16777216 bytes/);
  strictEqual(granted(), MAX_WHOLE_STDIN_BYTES);
});
