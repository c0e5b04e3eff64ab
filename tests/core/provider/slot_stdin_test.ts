/** Tests of a guest's stdin inside the slot. */

import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { STDIN_WINDOW_BYTES } from "../../../core/provider/slot_protocol.ts";
import { SlotStdin } from "../../../core/provider/slot_stdin.ts";

function openStdin(): { stdin: SlotStdin; granted: number[] } {
  const granted: number[] = [];
  return { stdin: new SlotStdin({ ended: false, grant: (bytes) => granted.push(bytes) }), granted };
}

Deno.test("SlotStdin.read() gives waiting bytes at once, in order, at most as many as asked for", () => {
  const { stdin } = openStdin();
  stdin.push(new Uint8Array([1, 2, 3]));
  stdin.push(new Uint8Array([4]));
  deepStrictEqual(stdin.read(2), new Uint8Array([1, 2]));
  deepStrictEqual(stdin.read(9), new Uint8Array([3]));
  deepStrictEqual(stdin.read(9), new Uint8Array([4]));
});

Deno.test("SlotStdin.read() waits for bytes and for the end", async () => {
  const { stdin } = openStdin();
  const bytes = stdin.read(10);
  stdin.push(new Uint8Array([5]));
  deepStrictEqual(await bytes, new Uint8Array([5]));
  const end = stdin.read(10);
  stdin.end();
  strictEqual((await end).length, 0);
  strictEqual((stdin.read(10) as Uint8Array).length, 0);
});

Deno.test("SlotStdin.ready() is true with bytes and at the end, else a promise for all who ask", async () => {
  const { stdin } = openStdin();
  const asked = [stdin.ready(), stdin.ready()];
  strictEqual(asked[0] instanceof Promise, true);
  stdin.push(new Uint8Array([1]));
  await Promise.all(asked);
  strictEqual(stdin.ready(), true);
  strictEqual(new SlotStdin({ ended: true, grant: () => {} }).ready(), true);
});

Deno.test("SlotStdin grants in steps, and only what the guest has read", () => {
  const { stdin, granted } = openStdin();
  stdin.push(new Uint8Array(STDIN_WINDOW_BYTES));
  deepStrictEqual(granted, []);
  for (let read = 0; read < STDIN_WINDOW_BYTES; read += 1024) stdin.read(1024);
  deepStrictEqual(granted, [65536, 65536, 65536, 65536]);
});

Deno.test("SlotStdin.push() refuses more than the window", () => {
  const { stdin } = openStdin();
  stdin.push(new Uint8Array(STDIN_WINDOW_BYTES));
  throws(() => stdin.push(new Uint8Array(1)), { code: "internal", message: /more stdin than was granted/ });
});
