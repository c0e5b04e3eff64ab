/** Tests of choosing the guest's input. */

import assert from "node:assert/strict";
import { INLINE_INPUT_BYTES, openGuestInput, type OwnInput } from "../../commands/guest_input.ts";
import type { ByteSource } from "../../core/byte_stream.ts";
import { WasimoffError } from "../../core/errors.ts";

function own(chunks: readonly Uint8Array[], kind: { terminal?: boolean; regular?: boolean } = {}): OwnInput {
  return {
    readable: ReadableStream.from(chunks),
    isTerminal: () => kind.terminal ?? false,
    isRegular: () => Promise.resolve(kind.regular ?? false),
  };
}

async function readAll(source: ByteSource | null): Promise<string> {
  let text = "";
  for (let chunk = await source?.read(); chunk; chunk = await source?.read()) {
    text += new TextDecoder().decode(chunk);
  }
  return text;
}

const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test("openGuestInput() gives nothing for none, and for a terminal that was not asked for", async () => {
  for (const [choice, terminal] of [["none", false], [null, true]] as const) {
    await using input = await openGuestInput(choice, own([bytes("x")], { terminal }), INLINE_INPUT_BYTES);
    assert.deepEqual([input.bytes.length, input.stream], [0, null]);
  }
});

Deno.test("openGuestInput() streams a pipe, and a terminal that was asked for", async () => {
  for (const [choice, terminal] of [[null, false], ["-", true]] as const) {
    await using input = await openGuestInput(
      choice,
      own([bytes("a"), bytes("b")], { terminal }),
      INLINE_INPUT_BYTES,
    );
    assert.equal(input.bytes.length, 0);
    assert.equal(await readAll(input.stream), "ab");
  }
});

Deno.test("openGuestInput() reads a small regular file at once", async () => {
  await using input = await openGuestInput(null, own([bytes("a"), bytes("b")], { regular: true }), 2);
  assert.equal(new TextDecoder().decode(input.bytes), "ab");
  assert.equal(input.stream, null);
});

Deno.test("openGuestInput() streams all of a large regular file", async () => {
  const chunks = [bytes("a".repeat(INLINE_INPUT_BYTES)), bytes("bc")];
  await using input = await openGuestInput(null, own(chunks, { regular: true }), INLINE_INPUT_BYTES);
  assert.equal(input.bytes.length, 0);
  assert.equal(await readAll(input.stream), "a".repeat(INLINE_INPUT_BYTES) + "bc");
});

Deno.test("openGuestInput() streams a regular file where the request has no room for it", async () => {
  await using input = await openGuestInput(null, own([bytes("abc")], { regular: true }), 2);
  assert.equal(input.bytes.length, 0);
  assert.equal(await readAll(input.stream), "abc");
});

Deno.test("openGuestInput() names a file that is not there", async () => {
  await assert.rejects(openGuestInput("/nonexistent/input", own([]), INLINE_INPUT_BYTES), {
    code: "not_found",
    message: 'read input "/nonexistent/input": there is no such file',
  });
});

Deno.test("openGuestInput() ends a waiting read when it is cancelled", async () => {
  const readable = new ReadableStream<Uint8Array>();
  const input = await openGuestInput("-", { ...own([]), readable }, INLINE_INPUT_BYTES);
  const read = input.stream!.read();
  input.stream!.cancel(new WasimoffError("canceled", "enough"));
  await assert.rejects(read, { code: "canceled", message: "enough" });
});
