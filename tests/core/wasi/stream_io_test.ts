import assert from "node:assert/strict";
import { WasimoffError } from "../../../core/errors.ts";
import type { GuestInput, GuestOutput } from "../../../core/wasi/program.ts";
import { ERRNO, FDFLAGS } from "../../../core/wasi/abi.ts";
import { GuestCalls } from "./guest_calls.ts";
import { Collected, runFixture, VirtualClock } from "./guest_fixture.ts";

const SIZE_BYTES = 1024 * 1024;

/** Every byte value, in an order that a lost or doubled piece would break. */
function pattern(): Uint8Array {
  return new Uint8Array(SIZE_BYTES).map((_, index) => (index * 31 + (index >> 8)) & 255);
}

/** Gives `bytes` in pieces of odd sizes, every other one late. */
function unevenInput(bytes: Uint8Array): GuestInput {
  let at = 0;
  let reads = 0;
  return {
    read(max) {
      const size = Math.min(max, 1 + (reads++ * 7919) % 50_000);
      const piece = bytes.subarray(at, at + size);
      at += piece.length;
      return reads % 2 === 0 ? piece : Promise.resolve(piece);
    },
  };
}

/** Takes what is written, slowly, and checks that nobody writes meanwhile. */
class SlowOutput implements GuestOutput {
  readonly bytes = new Uint8Array(SIZE_BYTES);
  length = 0;
  #busy = false;

  async write(chunk: Uint8Array): Promise<void> {
    assert(!this.#busy, "a write began before the one before had settled");
    this.#busy = true;
    await Promise.resolve();
    await Promise.resolve();
    this.bytes.set(chunk, this.length);
    this.length += chunk.length;
    this.#busy = false;
  }
}

Deno.test("stdio copies 1 MiB byte for byte while input and output make the guest wait", async () => {
  const input = pattern();
  const stdout = new SlowOutput();
  const { ending } = await runFixture("cat", ["10007"], { stdin: unevenInput(input), stdout });
  assert.deepEqual(ending, { kind: "exit", status: 0 });
  assert.equal(stdout.length, SIZE_BYTES);
  assert.deepEqual(stdout.bytes, input);
});

Deno.test("stdio never asks for more input than the guest has room for", async () => {
  const asked: number[] = [];
  const stdin: GuestInput = {
    read(max) {
      asked.push(max);
      return new Uint8Array(asked.length > 3 ? 0 : max);
    },
  };
  await runFixture("cat", ["300"], { stdin });
  assert.deepEqual(asked, [300, 300, 300, 300]);
});

Deno.test("stdio turns a failed input into an error of the guest, not an end of file", async () => {
  for (const read of [() => Promise.reject(new WasimoffError("aborted", "gone")), throwing]) {
    const { ending } = await runFixture("cat", [], { stdin: { read } });
    assert.deepEqual(ending, { kind: "exit", status: 1 });
  }
});

Deno.test("stdio turns a failed output into an error of the guest", async () => {
  const stdin = { read: () => new Uint8Array(1) };
  for (const write of [() => Promise.reject(new WasimoffError("canceled", "closed")), throwing]) {
    const { ending } = await runFixture("cat", [], { stdin, stdout: { write } });
    assert.deepEqual(ending, { kind: "exit", status: 2 });
  }
});

Deno.test("stdio hands a line that the C library writes in two pieces over as one", async () => {
  const chunks: string[] = [];
  const stdout = { write: (chunk: Uint8Array) => void chunks.push(new TextDecoder().decode(chunk)) };
  await runFixture("waits", [], { stdout });
  assert(chunks.every((chunk) => chunk.endsWith("\n")), JSON.stringify(chunks));
  assert.equal(chunks[0], "slept 1500000000\n");
});

Deno.test("stdio keeps the two outputs apart", async () => {
  const stdout = new Collected();
  const stderr = new Collected();
  await runFixture("args", ["x"], { stdout, stderr });
  assert.equal(stdout.text, "arg [args]\narg [x]\n");
  assert.equal(stderr.text, "");
});

Deno.test("stdio gives input a turn to arrive before a read that must not wait says EAGAIN", async () => {
  const clock = new VirtualClock();
  let arrived = false;
  clock.sleep = (ms) => {
    clock.sleeps.push(ms);
    arrived = clock.sleeps.length === 2;
    return Promise.resolve();
  };
  const stdin = { ready: () => arrived || new Promise<void>(() => {}), read: () => Uint8Array.of(7) };
  const calls = new GuestCalls({ clock, stdin });
  assert.equal(calls.call("fd_fdstat_set_flags", 0, FDFLAGS.NONBLOCK), 0);
  calls.view.setUint32(0, 32, true);
  calls.view.setUint32(4, 8, true);
  assert.equal(await calls.call("fd_read", 0, 0, 1, 16), ERRNO.AGAIN);
  assert.equal(await calls.call("fd_read", 0, 0, 1, 16), 0);
  assert.equal(calls.bytes[32], 7);
  assert.deepEqual(clock.sleeps, [0, 0]);
});

function throwing(): never {
  throw new WasimoffError("aborted", "gone");
}
