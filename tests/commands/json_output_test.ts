/** Tests of the JSON lines of `submit --json`. */

import assert from "node:assert/strict";
import { JsonOutput } from "../../commands/json_output.ts";
import type { WasimoffError } from "../../core/errors.ts";
import { failed } from "../../core/outcome.ts";

function recorder(limit = Infinity) {
  let text = "";
  const closed: WasimoffError[] = [];
  const stdout = {
    // Takes a byte less than it is given, as a pipe may.
    write(bytes: Uint8Array) {
      if (text.length >= limit) return Promise.reject(new Deno.errors.BrokenPipe("broken"));
      const taken = bytes.subarray(0, Math.max(1, bytes.length - 1));
      text += new TextDecoder().decode(taken);
      return Promise.resolve(taken.length);
    },
  };
  const output = new JsonOutput({ stdout, onClosed: (reason) => closed.push(reason) });
  return { output, closed, lines: () => text.split("\n").slice(0, -1).map((line) => JSON.parse(line)) };
}

const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test("JsonOutput writes text as text and other bytes as base64", async () => {
  const { output, lines } = recorder();
  await output.stdout.write(bytes("a\n"));
  await output.stderr.write(Uint8Array.of(0xff, 0x00));
  await output.stdout.write(bytes("€").slice(0, 1));
  await output.stdout.write(bytes("€").slice(1));
  assert.deepEqual(lines(), [
    { schema: 1, stdout: "a\n" },
    { schema: 1, stderrBase64: "/wA=" },
    { schema: 1, stdout: "€" },
  ]);
});

Deno.test("JsonOutput writes half a character at the end as base64, before the result", async () => {
  const { output, lines } = recorder();
  await output.stdout.write(bytes("€").slice(0, 2));
  output.stdout.end();
  await output.result({
    task: "t1",
    outcome: failed("trap", "guest", "unreachable"),
    provider: "p",
    attempts: 1,
    queuedMs: 2,
    durationMs: 3.5,
  });
  assert.deepEqual(lines(), [
    { schema: 1, stdoutBase64: "4oI=" },
    {
      schema: 1,
      result: {
        origin: "guest",
        reason: "trap",
        status: 134,
        message: "unreachable",
        task: "t1",
        provider: "p",
        attempts: 1,
        queuedMs: 2,
        durationMs: 3.5,
      },
    },
  ]);
});

Deno.test("JsonOutput keeps lines whole when both streams write at once", async () => {
  const { output, lines } = recorder();
  const writes = Array.from({ length: 5 }, async (_, index) => {
    await Promise.all([output.stdout.write(bytes(`o${index}`)), output.stderr.write(bytes(`e${index}`))]);
  });
  await Promise.all(writes);
  assert.equal(lines().length, 10);
});

Deno.test("JsonOutput says when its reader has gone", async () => {
  const { output, closed } = recorder(0);
  await assert.rejects(async () => await output.stdout.write(bytes("x")), { code: "canceled" });
  assert.equal(closed[0]?.code, "canceled");
});
