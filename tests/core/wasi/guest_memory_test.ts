import assert from "node:assert/strict";
import { WasiFault } from "../../../core/wasi/fault.ts";
import { GuestMemory, IOVECS_MAX } from "../../../core/wasi/guest_memory.ts";

const EFAULT = new WasiFault(21);

function makeMemory(): { guest: GuestMemory; memory: WebAssembly.Memory } {
  const guest = new GuestMemory();
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 3 });
  guest.attach(memory);
  return { guest, memory };
}

Deno.test("GuestMemory reads and writes what fits, up to the last byte", () => {
  const { guest } = makeMemory();
  guest.setU64(65_528, 0x1122334455667788n);
  guest.setU32(0, 0xffffffff);
  guest.setU16(4, 0x1234);
  guest.setU8(65_535, 7);
  assert.equal(guest.u64(65_528), 0x0722334455667788n);
  assert.deepEqual([guest.u32(0), guest.u16(4), guest.u8(65_535)], [0xffffffff, 0x1234, 7]);
  assert.equal(guest.bytes(65_536, 0).length, 0);
});

Deno.test("GuestMemory answers EFAULT for everything outside, also for negative pointers and lengths", () => {
  const { guest } = makeMemory();
  const outside = [
    () => guest.setU64(65_529, 0n),
    () => guest.u32(-4),
    () => guest.u8(65_536),
    () => guest.bytes(0, 65_537),
    () => guest.bytes(0, -1),
    () => guest.bytes(-1, 1),
    () => guest.bytes(65_537, 0),
    () => guest.iovecs(65_532, 1),
  ];
  for (const access of outside) assert.throws(access, EFAULT);
});

Deno.test("GuestMemory sees the memory that the guest has grown", () => {
  const { guest, memory } = makeMemory();
  guest.setU32(0, 42);
  memory.grow(1);
  assert.equal(guest.u32(0), 42);
  guest.setU32(131_068, 1);
  memory.grow(0);
  assert.equal(guest.bytes(0, 0).length, 0);
  assert.equal(guest.byteLength, 131_072);
});

Deno.test("GuestMemory without a memory holds nothing", () => {
  const guest = new GuestMemory();
  assert.throws(() => guest.u8(0), EFAULT);
  assert.equal(guest.byteLength, 0);
});

Deno.test("GuestMemory.string() refuses what is not UTF-8 with EILSEQ", () => {
  const { guest } = makeMemory();
  guest.bytes(0, 5).set(new TextEncoder().encode("grün"));
  assert.equal(guest.string(0, 5), "grün");
  assert.throws(() => guest.string(0, 3), new WasiFault(25));
});

Deno.test("GuestMemory.string() decodes nothing that is longer than a path can be", () => {
  const guest = new GuestMemory();
  guest.attach(new WebAssembly.Memory({ initial: 1 }));
  guest.bytes(0, 65_536).fill(0x61);
  assert.equal(guest.string(0, 4095).length, 4095);
  assert.throws(() => guest.string(0, 4096), new WasiFault(37));
  assert.throws(() => guest.string(1, 65_536), EFAULT);
  // Bytes that are no UTF-8 are not even looked at.
  guest.setU8(0, 0xff);
  assert.throws(() => guest.string(0, 65_536), new WasiFault(37));
});

Deno.test("GuestMemory.u8() sees the memory that the guest has grown", () => {
  const { guest, memory } = makeMemory();
  guest.setU8(0, 7);
  memory.grow(1);
  assert.equal(guest.u8(0), 7);
});

/** Puts iovecs of these pointers and lengths at the start of the memory. */
function writeIovecs(guest: GuestMemory, iovecs: readonly [number, number][]): void {
  for (const [index, [pointer, length]] of iovecs.entries()) {
    guest.setU32(index * 8, pointer);
    guest.setU32(index * 8 + 4, length);
  }
}

Deno.test("GuestMemory.iovecs() takes no more entries than Linux does", () => {
  const { guest } = makeMemory();
  writeIovecs(guest, Array.from({ length: IOVECS_MAX }, (_, index) => [index, 1]));
  assert.equal(guest.iovecs(0, IOVECS_MAX).length, IOVECS_MAX);
  assert.throws(() => guest.iovecs(0, IOVECS_MAX + 1), new WasiFault(28));
});

Deno.test("GuestMemory.iovecs() leaves out what has no length and checks everything else", () => {
  const { guest } = makeMemory();
  writeIovecs(guest, [[0xffffffff, 0], [65_535, 1], [70_000, 0]]);
  assert.deepEqual(guest.iovecs(0, 3), [{ pointer: 65_535, length: 1 }]);
  writeIovecs(guest, [[0, 1], [65_535, 2]]);
  assert.throws(() => guest.iovecs(0, 2), EFAULT);
});

Deno.test("GuestMemory.iovecs() refuses to move more than a signed number can count with EINVAL", () => {
  const guest = new GuestMemory();
  // 32 MiB, 64 times: 2 GiB.
  guest.attach(new WebAssembly.Memory({ initial: 512 }));
  writeIovecs(guest, Array.from({ length: 64 }, () => [0, 32 * 1024 ** 2]));
  assert.equal(guest.iovecs(0, 63).length, 63);
  assert.throws(() => guest.iovecs(0, 64), new WasiFault(28));
});
