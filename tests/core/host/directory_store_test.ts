import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import { WasimoffError } from "../../../core/errors.ts";
import { DirectoryStore } from "../../../core/host/directory_store.ts";
import { startHash } from "../../../core/host/hash.ts";
import type { FileRef } from "../../../core/storage/file_store.ts";
import { chunks, collect, refOf, wasmLike } from "../../support/chunks.ts";
import { testFileStore } from "../../support/file_store_contract.ts";

const open = (directory: string, maxTotalBytes = 1 << 20, now = () => Date.now()) =>
  DirectoryStore.open({ directory, maxTotalBytes, startHash, now });

async function withDirectory(use: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await use(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

const pathOf = (directory: string, ref: FileRef) => `${directory}/sha256/${ref.slice(7, 9)}/${ref.slice(7)}`;
const temporaries = (directory: string) => [...Deno.readDirSync(`${directory}/tmp`)];

testFileStore("DirectoryStore", (maxTotalBytes, use) =>
  withDirectory(async (directory) => {
    await use(await open(directory, maxTotalBytes));
    deepStrictEqual(temporaries(directory), []);
  }));

Deno.test("DirectoryStore.open() finds the files of an earlier process in the order of their last use", () =>
  withDirectory(async (directory) => {
    let now = Date.UTC(2026, 0, 1);
    const first = await open(directory, 1000, () => now);
    const [a, b, c] = [
      await first.put(chunks(wasmLike(300, 1))),
      await first.put(chunks(wasmLike(300, 2))),
      await first.put(chunks(Uint8Array.of(0x50, 0x4b, 0x03, 0x04))),
    ];
    for (const file of [c, a, b]) {
      now += 3_600_000;
      await first.bytes(file.ref);
    }
    await Deno.writeFile(`${directory}/tmp/left-over`, new Uint8Array(10));
    await Deno.utime(`${directory}/tmp/left-over`, 0, 0);
    await Deno.writeFile(`${directory}/tmp/upload-of-another-process`, new Uint8Array(10));
    await Deno.writeFile(`${directory}/sha256/${a.ref.slice(7, 9)}/not-a-hash`, new Uint8Array(10));

    const second = await open(directory, 1000);
    deepStrictEqual(await second.list(), [b, a, c]);
    deepStrictEqual(temporaries(directory).map(({ name }) => name), ["upload-of-another-process"]);
    await second.put(chunks(wasmLike(600, 3)));
    deepStrictEqual((await second.list()).map(({ size }) => size), [600, 300]);
  }));

Deno.test("DirectoryStore.open() with a smaller bound evicts with the next put", () =>
  withDirectory(async (directory) => {
    const large = await open(directory, 1000);
    await large.put(chunks(wasmLike(400, 1)));
    await large.put(chunks(wasmLike(400, 2)));
    const small = await open(directory, 500);
    const { ref } = await small.put(chunks(wasmLike(200, 3)));
    deepStrictEqual((await small.list()).map((file) => file.ref), [ref]);
    const left = [...Deno.readDirSync(`${directory}/sha256`)]
      .flatMap(({ name }) => [...Deno.readDirSync(`${directory}/sha256/${name}`)]);
    strictEqual(left.length, 1);
  }));

Deno.test("DirectoryStore.bytes() refuses and removes a file that has rotted", () =>
  withDirectory(async (directory) => {
    const store = await open(directory);
    const { ref } = await store.put(chunks(wasmLike(1000)));
    await Deno.writeFile(pathOf(directory, ref), wasmLike(1000, 1));
    await rejects(store.bytes(ref), { code: "data_loss" });
    strictEqual(await store.stat(ref), null);
    await rejects(Deno.stat(pathOf(directory, ref)), Deno.errors.NotFound);
    deepStrictEqual(await store.list(), []);
  }));

Deno.test("DirectoryStore.read() never hands out a rotten file in full, and removes it", () =>
  withDirectory(async (directory) => {
    const store = await open(directory);
    const bytes = wasmLike(600_000);
    const { ref } = await store.put(chunks(bytes, 65536));
    bytes[1]! ^= 1;
    await Deno.writeFile(pathOf(directory, ref), bytes);
    let received = 0;
    const drain = async () => {
      for await (const chunk of (await store.read(ref))!) received += chunk.length;
    };
    await rejects(drain(), { code: "data_loss" });
    ok(received > 0 && received < 600_000, `received ${received}`);
    strictEqual(await store.read(ref), null);
    strictEqual((await store.put(chunks(wasmLike(600_000), 65536))).ref, ref);
    deepStrictEqual(await collect((await store.read(ref))!), wasmLike(600_000));
  }));

Deno.test("DirectoryStore.read() of a range that is missing on disk ends with an error", () =>
  withDirectory(async (directory) => {
    const store = await open(directory);
    const { ref } = await store.put(chunks(wasmLike(1000)));
    await Deno.truncate(pathOf(directory, ref), 100);
    await rejects(collect((await store.read(ref, { start: 50, end: 200 }))!), { code: "data_loss" });
  }));

Deno.test("DirectoryStore takes a file that was removed behind its back as unknown", () =>
  withDirectory(async (directory) => {
    const store = await open(directory);
    const { ref } = await store.put(chunks(wasmLike(1000)));
    await Deno.remove(pathOf(directory, ref));
    strictEqual(await store.bytes(ref), null);
    strictEqual(await store.stat(ref), null);
    strictEqual((await store.put(chunks(wasmLike(1000)))).ref, ref);
    strictEqual(refOf((await store.bytes(ref))!), ref);
  }));

Deno.test("DirectoryStore keeps a file that is uploaded again while it is deleted", () =>
  withDirectory(async (directory) => {
    const store = await open(directory);
    const bytes = wasmLike(1000);
    const { ref } = await store.put(chunks(bytes));
    for (let i = 0; i < 20; i++) {
      await Promise.all([store.delete(ref), store.put(chunks(bytes, 1000))]);
      const known = await store.stat(ref) !== null;
      strictEqual(await Deno.stat(pathOf(directory, ref)).then(() => true, () => false), known);
      if (!known) await store.put(chunks(bytes, 1000));
    }
  }));

Deno.test("DirectoryStore.open() names a directory that cannot be used", () =>
  withDirectory(async (directory) => {
    const file = `${directory}/file`;
    await Deno.writeTextFile(file, "");
    await rejects(open(`${file}/store`), (error: WasimoffError) => {
      strictEqual(error.code, "failed_precondition");
      match(error.message, /^directory ".*\/file\/store" cannot be used: ENOTDIR, /);
      return true;
    });
  }));

/** Mounts a memory file system of 8 MiB; null when this machine does not let us. */
async function mountTmpfs(directory: string): Promise<AsyncDisposable | null> {
  const run = async (command: string, args: string[]) =>
    (await new Deno.Command(command, { args, stderr: "null" }).output()).success;
  if (!await run("mount", ["-t", "tmpfs", "-o", "size=8m", "tmpfs", directory])) return null;
  return { [Symbol.asyncDispose]: async () => ok(await run("umount", [directory])) };
}

let mayMount = false;
if (Deno.uid() === 0) {
  await withDirectory(async (directory) => {
    await using mount = await mountTmpfs(directory);
    mayMount = mount !== null;
  });
}

Deno.test({
  name: "DirectoryStore.put() on a full disk names the directory and leaves nothing half-written",
  ignore: !mayMount, // needs a small file system of its own, which only root can mount, and not in every container
  fn: () =>
    withDirectory(async (directory) => {
      await using _mount = await mountTmpfs(directory);
      const store = await open(directory, 1 << 30);
      const small = await store.put(chunks(wasmLike(1 << 20), 1 << 16));
      await rejects(store.put(chunks(wasmLike(16 << 20, 1), 1 << 16)), (error: WasimoffError) => {
        strictEqual(error.code, "resource_exhausted");
        strictEqual(error.message, `directory "${directory}" is full: ENOSPC`);
        return true;
      });
      deepStrictEqual(temporaries(directory), []);
      deepStrictEqual(await store.list(), [small]);
      strictEqual((await store.put(chunks(wasmLike(5 << 20, 2), 1 << 16))).size, 5 << 20);
    }),
});
