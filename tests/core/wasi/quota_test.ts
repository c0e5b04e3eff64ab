/** Tests of what the directories of a task may take together, with bombs of bytes and of names. */

import assert from "node:assert/strict";
import { ERRNO } from "../../../core/wasi/abi.ts";
import { WasiFault } from "../../../core/wasi/fault.ts";
import { File } from "../../../core/wasi/file.ts";
import { Directory, emptyDirectory, forkDirectory } from "../../../core/wasi/inode.ts";
import { Quota } from "../../../core/wasi/quota.ts";
import { Symlink } from "../../../core/wasi/symlink.ts";
import { GuestCalls } from "./guest_calls.ts";

const NOSPC = new WasiFault(51);

/** Files, a link and a directory that are there at the start. */
function rootfs(): Directory {
  const root = emptyDirectory();
  root.add("file", File.of(root.volume, 0n, new Uint8Array(1000)), 0n);
  root.add("link", new Symlink(root.volume, 0n, "f".repeat(500)), 0n);
  root.add("dir", new Directory(root.volume, 0n), 0n);
  return root;
}

function addFile(directory: Directory, name: string): File {
  const file = new File(directory.volume, 0n);
  directory.add(name, file, 0n);
  return file;
}

Deno.test("Quota holds for all directories of a task together", () => {
  const quota = new Quota({ maxBytes: 1024, maxEntries: 3 });
  const [one, other] = [emptyDirectory({ quota }), emptyDirectory({ quota })];
  const file = addFile(one, "a");
  file.write(0, new Uint8Array(512));
  addFile(other, "b").write(0, new Uint8Array(512));
  assert.throws(() => addFile(other, "c").write(0, new Uint8Array(1)), NOSPC);
  assert.throws(() => addFile(one, "d"), NOSPC);
  one.remove("a", 0n);
  addFile(other, "d").write(0, new Uint8Array(512));
  assert.throws(() => addFile(one, "e"), NOSPC);
});

Deno.test("Quota does not count what a directory holds at the start, only what changes", () => {
  const quota = new Quota({ maxBytes: 2048, maxEntries: 1 });
  const root = forkDirectory(rootfs(), { quota });
  assert.equal(root.list().length, 3);
  const file = root.lookup("file") as File;
  file.write(0, new Uint8Array(1)); // copies the whole chunk
  assert.throws(() => file.write(2000, new Uint8Array(200)), NOSPC);
  addFile(root, "new");
  assert.throws(() => addFile(root, "more"), NOSPC);
});

Deno.test("Quota does not count a name that is moved, not even for a moment", () => {
  const quota = new Quota({ maxBytes: 512, maxEntries: 3 });
  const root = emptyDirectory({ quota });
  const dir = new Directory(root.volume, 0n);
  root.add("dir", dir, 0n);
  addFile(root, "a").write(0, new Uint8Array(512));
  addFile(root, "b");
  root.move("a", { directory: dir, as: "a" }, 0n);
  assert.deepEqual([root.lookup("a"), dir.lookup("a")!.size, dir.lookup("a")!.nlink], [undefined, 512, 1]);
  assert.throws(() => addFile(root, "c"), NOSPC);
  dir.remove("a", 0n);
  root.remove("dir", 0n);
  assert.throws(() => root.move("b", { directory: dir, as: "b" }, 0n), new WasiFault(44));
  addFile(root, "d");
  addFile(root, "e").write(0, new Uint8Array(512));
  assert.throws(() => addFile(root, "f"), NOSPC);
});

Deno.test("Quota gives a guest nothing for what it removes but the names", () => {
  const quota = new Quota({ maxBytes: 512, maxEntries: 0 });
  const root = forkDirectory(rootfs(), { quota });
  root.remove("link", 0n);
  root.remove("file", 0n);
  addFile(root, "a").write(0, new Uint8Array(512));
  assert.throws(() => addFile(root, "b").write(0, new Uint8Array(1)), NOSPC);
  assert.throws(() => addFile(root, "c"), NOSPC);
});

Deno.test("Quota ends a bomb of names, wherever they are", () => {
  const quota = new Quota({ maxBytes: 1024 ** 3, maxEntries: 10_000 });
  const root = emptyDirectory({ quota });
  let made = 0;
  let inner = root;
  assert.throws(() => {
    for (;; made++) {
      const next = new Directory(root.volume, 0n);
      inner.add("d", next, 0n);
      inner = next;
    }
  }, NOSPC);
  assert.equal(made, 10_000);
});

Deno.test("Quota counts the targets of links as bytes and, long ones, as names", () => {
  const quota = new Quota({ maxBytes: 10_000, maxEntries: 40 });
  const root = emptyDirectory({ quota });
  root.add("one", new Symlink(root.volume, 0n, "x".repeat(4095)), 0n); // 1 name and 15 for its target
  root.add("two", new Symlink(root.volume, 0n, "x".repeat(4095)), 0n);
  assert.throws(() => new Symlink(root.volume, 0n, "x".repeat(4095)), NOSPC);
  root.remove("one", 0n);
  root.add("three", new Symlink(root.volume, 0n, "x".repeat(4095)), 0n);
  for (let short = 0; short < 8; short++) root.add(`${short}`, new Symlink(root.volume, 0n, "x"), 0n);
  assert.throws(() => root.add("last", new Symlink(root.volume, 0n, "x"), 0n), NOSPC);
});

Deno.test("Quota takes back the name of a link whose target has no room", () => {
  const quota = new Quota({ maxBytes: 100, maxEntries: 2 });
  const root = emptyDirectory({ quota });
  assert.throws(() => new Symlink(root.volume, 0n, "x".repeat(300)), NOSPC);
  addFile(root, "a");
  addFile(root, "b");
});

Deno.test("Quota lets what is beyond it shrink", () => {
  const quota = new Quota({ maxBytes: 1, maxEntries: 1 });
  quota.claimBytes(-5);
  quota.claimBytes(6);
  assert.throws(() => quota.claimBytes(1), NOSPC);
  quota.claimBytes(-1);
  quota.claimBytes(1);
});

Deno.test("Quota takes back the target of a link whose name has no room", () => {
  const quota = new Quota({ maxBytes: 300, maxEntries: 1 });
  const root = emptyDirectory({ quota });
  const calls = new GuestCalls({ preopens: [{ path: "/", directory: root }] });
  calls.bytes.set(new TextEncoder().encode("x".repeat(300)));
  for (let time = 0; time < 3; time++) assert.equal(calls.call("path_symlink", 0, 300, 3, 0, 1), ERRNO.NOSPC);
  assert.equal(calls.call("path_symlink", 0, 200, 3, 0, 1), ERRNO.SUCCESS);
  root.remove("x", 0n);
  addFile(root, "a").write(0, new Uint8Array(100));
});
