import assert from "node:assert/strict";
import { WasiFault } from "../../../core/wasi/fault.ts";
import { File } from "../../../core/wasi/file.ts";
import { Directory, emptyDirectory, forkDirectory } from "../../../core/wasi/inode.ts";
import { Symlink } from "../../../core/wasi/symlink.ts";

const text = (value: string) => new TextEncoder().encode(value);

/** `/a/one`, `/a/two` (a second name of one), `/b` -> a. */
function makeTree(): Directory {
  const root = emptyDirectory();
  const a = new Directory(root.volume, 1n);
  root.add("a", a, 1n);
  const one = File.of(root.volume, 1n, text("one"));
  a.add("one", one, 1n);
  a.add("two", one, 1n);
  root.add("b", new Symlink(root.volume, 1n, "a"), 1n);
  return root;
}

function readText(inode: unknown): string {
  assert(inode instanceof File);
  return new TextDecoder().decode(inode.contents());
}

function child(directory: Directory, name: string): Directory {
  const inode = directory.lookup(name);
  assert(inode instanceof Directory);
  return inode;
}

Deno.test("forkDirectory() keeps the origin as it was, whatever happens to the copy", () => {
  const origin = makeTree();
  const copy = forkDirectory(origin);
  const file = child(copy, "a").lookup("one");
  assert(file instanceof File);
  file.write(0, text("ONE and more"));
  child(copy, "a").remove("two", 9n);
  copy.add("new", new Directory(copy.volume, 9n), 9n);
  copy.remove("b", 9n);
  assert.deepEqual(copy.list().map(({ name }) => name), ["a", "new"]);
  assert.deepEqual(origin.list().map(({ name }) => name), ["a", "b"]);
  assert.deepEqual(child(origin, "a").list().map(({ name }) => name), ["one", "two"]);
  assert.equal(readText(child(origin, "a").lookup("one")), "one");
  assert.equal(child(origin, "a").mtim, 1n);
  assert.equal(readText(file), "ONE and more");
});

Deno.test("forkDirectory() keeps inode numbers, link counts and hard links", () => {
  const origin = makeTree();
  const copy = forkDirectory(forkDirectory(origin));
  const one = child(copy, "a").lookup("one");
  assert(one instanceof File);
  assert.equal(one.ino, child(origin, "a").lookup("one")!.ino);
  assert.equal(one.nlink, 2);
  assert.equal(child(copy, "a").lookup("two"), one);
  assert.equal(child(copy, "a").parent, copy);
  assert.equal(copy.nlink, 3);
  // New inodes do not take the numbers of old ones that have not been copied yet.
  const fresh = new Directory(forkDirectory(origin).volume, 0n);
  assert(origin.list().every(({ inode }) => inode.ino < fresh.ino));
});

Deno.test("forkDirectory() lists entries in their order, also after a part has been looked up", () => {
  const origin = emptyDirectory();
  for (const name of ["z", "y", "x", "w"]) origin.add(name, new Directory(origin.volume, 0n), 0n);
  const copy = forkDirectory(origin);
  const x = copy.lookup("x");
  copy.lookup("w");
  assert.equal(copy.lookup("nothing"), undefined);
  assert.deepEqual(copy.list().map(({ name, cookie }) => [name, cookie]), [["z", 3], ["y", 4], ["x", 5], [
    "w",
    6,
  ]]);
  assert.equal(copy.lookup("x"), x);
});

Deno.test("forkDirectory() does not copy what nobody asks for", () => {
  const origin = emptyDirectory();
  for (let index = 0; index < 20_000; index++) {
    origin.add(`file-${index}`, File.of(origin.volume, 0n, text("x")), 0n);
  }
  const before = performance.now();
  for (let run = 0; run < 100; run++) forkDirectory(origin).lookup("file-77");
  // Copying 2,000,000 entries would take half a second.
  assert(performance.now() - before < 100);
});

Deno.test("Directory counts names and subdirectories as links", () => {
  const root = emptyDirectory();
  const sub = new Directory(root.volume, 0n);
  root.add("sub", sub, 0n);
  assert.deepEqual([root.nlink, sub.nlink], [3, 2]);
  root.remove("sub", 0n);
  assert.deepEqual([root.nlink, sub.nlink], [2, 0]);
  assert.throws(() => sub.add("late", new Directory(root.volume, 0n), 0n), new WasiFault(44));
});

Deno.test("Directory notes when an inode gets and loses a name, as a change of it and of itself", () => {
  const root = makeTree();
  const a = child(root, "a");
  const one = a.lookup("one") as File;
  const times = () => [one.mtim, one.ctim, a.mtim, a.ctim];
  a.add("three", one, 5n);
  assert.deepEqual(times(), [1n, 5n, 5n, 5n]);
  a.remove("two", 6n);
  assert.deepEqual(times(), [1n, 6n, 6n, 6n]);
  a.replace("three", new File(root.volume, 7n), 7n);
  assert.deepEqual(times(), [1n, 7n, 7n, 7n]);
  a.move("one", { directory: root, as: "moved" }, 8n);
  assert.deepEqual([...times(), root.mtim, one.nlink], [1n, 8n, 8n, 8n, 8n, 1]);
});
