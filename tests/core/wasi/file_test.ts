import assert from "node:assert/strict";
import fc from "fast-check";
import { WasiFault } from "../../../core/wasi/fault.ts";
import { File } from "../../../core/wasi/file.ts";
import { Quota, QUOTA_LIMITS } from "../../../core/wasi/quota.ts";
import { Volume } from "../../../core/wasi/volume.ts";

/** Sizes around the 256 KiB chunks of a file. */
const offset = fc.oneof(
  fc.integer({ min: 0, max: 600_000 }),
  fc.constantFrom(0, 1, 262_143, 262_144, 262_145, 524_288),
);
const operation = fc.oneof(
  fc.record({ kind: fc.constant("write" as const), offset, length: fc.integer({ min: 0, max: 70_000 }) }),
  fc.record({ kind: fc.constant("resize" as const), offset }),
  fc.record({ kind: fc.constant("fork" as const) }),
);

/** What a file should hold, as simply as it can be said. */
class Model {
  constructor(public bytes: Uint8Array = new Uint8Array(0)) {}

  resize(size: number): void {
    const next = new Uint8Array(size);
    next.set(this.bytes.subarray(0, size));
    this.bytes = next;
  }

  write(at: number, data: Uint8Array): void {
    if (at + data.length > this.bytes.length) this.resize(at + data.length);
    this.bytes.set(data, at);
  }
}

function assertSame(file: File, model: Model): void {
  assert.equal(file.size, model.bytes.length);
  const read = new Uint8Array(model.bytes.length + 1);
  assert.equal(file.read(0, read), model.bytes.length);
  assert(read.subarray(0, model.bytes.length).every((byte, index) => byte === model.bytes[index]));
}

Deno.test("File holds what an array would, through writes, cuts, holes and forks", () => {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 8 }), (operations) => {
      let file = new File(new Volume(), 0n);
      let model = new Model();
      const origins: [File, Model][] = [];
      let fill = 1;
      for (const step of operations) {
        if (step.kind === "fork") {
          origins.push([file, model]);
          file = file.fork(new Volume({}, file.volume));
          model = new Model(model.bytes.slice());
        } else if (step.kind === "resize") {
          file.resize(step.offset);
          model.resize(step.offset);
        } else if (step.length > 0) {
          const data = new Uint8Array(step.length).fill(fill++);
          file.write(step.offset, data);
          model.write(step.offset, data);
        }
      }
      assertSame(file, model);
      for (const [origin, copy] of origins) assertSame(origin, copy);
    }),
    { numRuns: 12 },
  );
});

Deno.test("File.of() shares its bytes and leaves them alone when it is written", () => {
  const contents = new Uint8Array(300_000).fill(1);
  const file = File.of(new Volume(), 0n, contents);
  file.write(262_144, new Uint8Array([9]));
  file.resize(262_150);
  file.resize(262_160);
  const read = new Uint8Array(20);
  assert.equal(file.read(262_143, read), 17);
  assert.deepEqual([...read], [1, 9, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  assert(contents.every((byte) => byte === 1));
});

Deno.test("File keeps a hole of gigabytes without storage", () => {
  const volume = new Volume();
  const file = new File(volume, 0n);
  file.resize(7 * 1024 ** 3);
  file.write(6 * 1024 ** 3, new Uint8Array([5]));
  const read = new Uint8Array(3);
  assert.equal(file.read(6 * 1024 ** 3 - 1, read), 3);
  assert.deepEqual([...read], [0, 5, 0]);
  // One chunk of 256 KiB is all it took.
  volume.claimBytes(QUOTA_LIMITS.maxBytes - 256 * 1024);
});

Deno.test("File.resize() refuses more than 8 GiB with EFBIG", () => {
  assert.throws(() => new File(new Volume(), 0n).resize(8 * 1024 ** 3 + 1), new WasiFault(22));
});

Deno.test("File.fork() keeps its contents whichever side writes, and each side pays for its own", () => {
  const quota = new Quota({ maxBytes: 512, maxEntries: 0 });
  const origin = new File(new Volume({ quota }), 0n);
  origin.write(0, new Uint8Array(512).fill(1));
  const copy = origin.fork(new Volume({ quota }));
  // What was written before belongs to both now, so that one of them may have bytes of its own again.
  origin.write(0, new Uint8Array(1).fill(2));
  assert.deepEqual([origin.contents()[0], copy.contents()[0], copy.size], [2, 1, 512]);
  assert.throws(() => copy.write(0, new Uint8Array(1)), new WasiFault(51));
});

Deno.test("File.write() fails with ENOSPC on a full volume and keeps what it has", () => {
  const volume = new Volume();
  const file = new File(volume, 0n);
  file.write(0, new Uint8Array(10).fill(1));
  volume.claimBytes(QUOTA_LIMITS.maxBytes - 512);
  assert.throws(() => file.write(0, new Uint8Array(1000)), new WasiFault(51));
  assert.equal(file.size, 10);
  file.write(10, new Uint8Array([2]));
  assert.equal(file.size, 11);
});

Deno.test("File gives its space back once it is removed and closed", () => {
  const volume = new Volume();
  const file = new File(volume, 0n);
  file.opened();
  file.write(0, new Uint8Array(262_144));
  file.unlinked();
  assert.throws(() => volume.claimBytes(QUOTA_LIMITS.maxBytes), new WasiFault(51));
  file.closed();
  volume.claimBytes(QUOTA_LIMITS.maxBytes);
});

Deno.test("File.write() takes what fits before the largest size, and EFBIG when nothing does", () => {
  const file = new File(new Volume(), 0n);
  const most = 8 * 1024 ** 3;
  assert.equal(file.write(most - 3, new Uint8Array(10).fill(1)), 3);
  assert.equal(file.size, most);
  assert.throws(() => file.write(most, new Uint8Array(1)), new WasiFault(22));
  assert.equal(file.write(most + 5, new Uint8Array(0)), 0);
  assert.equal(file.size, most);
});

Deno.test("File.write() takes what fits on the volume, to the last byte, and ENOSPC when nothing does", () => {
  const file = new File(new Volume({ quota: new Quota({ maxBytes: 600_000, maxEntries: 10 }) }), 0n);
  // Two chunks fit, the third does not; smaller pieces of it do.
  assert.equal(file.write(0, new Uint8Array(700_000).fill(1)), 524_288);
  assert.equal(file.size, 524_288);
  assert.equal(file.write(524_288, new Uint8Array(75_000).fill(2)), 75_000);
  assert.equal(file.write(599_288, new Uint8Array(712).fill(3)), 712);
  assert.throws(() => file.write(600_000, new Uint8Array(1)), new WasiFault(51));
  const read = new Uint8Array(3);
  file.read(599_286, read);
  assert.deepEqual([...read], [2, 2, 3]);
});

Deno.test("File.write() copies all of a shared chunk, also where there is only room for that", () => {
  const quota = new Quota({ maxBytes: 100, maxEntries: 10 });
  const file = File.of(new Volume(), 0n, new Uint8Array(100).fill(7)).fork(new Volume({ quota }));
  assert.equal(file.write(0, new Uint8Array([1])), 1);
  const read = new Uint8Array(100);
  assert.equal(file.read(0, read), 100);
  assert.deepEqual([read[0], read[1], read[99]], [1, 7, 7]);
  assert.throws(() => quota.claimBytes(1), new WasiFault(51));
});

Deno.test("File.allocate() takes the space for a range, and nothing when there is not enough", () => {
  const quota = new Quota({ maxBytes: 1_000_000, maxEntries: 10 });
  const file = new File(new Volume({ quota }), 0n);
  file.allocate(300_000, 100_000);
  assert.equal(file.size, 400_000);
  assert.throws(() => file.allocate(0, 2_000_000), new WasiFault(51));
  assert.equal(file.size, 400_000);
  assert.throws(() => file.allocate(8 * 1024 ** 3, 1), new WasiFault(22));
  // Only the second chunk, that of the range, is taken.
  quota.claimBytes(1_000_000 - 262_144);
  assert.throws(() => quota.claimBytes(1), new WasiFault(51));
  assert.equal(file.write(300_000, new Uint8Array(100_000)), 100_000);
});

Deno.test("File.allocate() never cuts", () => {
  const file = new File(new Volume(), 0n);
  file.write(0, new Uint8Array(100).fill(1));
  file.allocate(10, 10);
  assert.equal(file.size, 100);
  const read = new Uint8Array(100);
  file.read(0, read);
  assert(read.every((byte) => byte === 1));
});
