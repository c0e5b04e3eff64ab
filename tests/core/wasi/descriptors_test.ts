import assert from "node:assert/strict";
import { RIGHTS, RIGHTS_ALL } from "../../../core/wasi/abi.ts";
import { DescriptorTable, InputStream, OpenDirectory, OpenFile } from "../../../core/wasi/descriptors.ts";
import { WasiFault } from "../../../core/wasi/fault.ts";
import { File } from "../../../core/wasi/file.ts";
import { emptyDirectory } from "../../../core/wasi/inode.ts";
import { Quota } from "../../../core/wasi/quota.ts";
import { Volume } from "../../../core/wasi/volume.ts";

function openFile(rights: number = RIGHTS_ALL): OpenFile {
  return new OpenFile(new File(new Volume(), 0n), rights, RIGHTS_ALL, 0);
}

Deno.test("DescriptorTable.add() gives the lowest free number", () => {
  const table = new DescriptorTable([openFile(), openFile(), openFile()], 1024);
  assert.equal(table.add(openFile()), 3);
  table.close(1);
  table.close(0);
  assert.deepEqual([table.add(openFile()), table.add(openFile()), table.add(openFile())], [0, 1, 4]);
});

Deno.test("DescriptorTable.add() fails with EMFILE beyond its limit and works again after a close", () => {
  const table = new DescriptorTable([], 1024);
  for (let count = 0; count < 1024; count++) table.add(openFile());
  assert.throws(() => table.add(openFile()), new WasiFault(33));
  table.close(500);
  assert.equal(table.add(openFile()), 500);
});

Deno.test("DescriptorTable.renumber() moves a descriptor over another open one", () => {
  const first = openFile();
  const table = new DescriptorTable([first, openFile()], 1024);
  table.renumber(0, 1);
  assert.equal(table.get(1), first);
  assert.throws(() => table.get(0), new WasiFault(8));
  assert.throws(() => table.renumber(1, 0), new WasiFault(8));
  table.renumber(1, 1);
  assert.equal(table.get(1), first);
});

Deno.test("DescriptorTable.renumber() closes what was there, which frees a removed file", () => {
  const quota = new Quota({ maxBytes: 512, maxEntries: 0 });
  const volume = new Volume({ quota });
  const replaced = new File(volume, 0n);
  const table = new DescriptorTable([openFile(), new OpenFile(replaced, RIGHTS_ALL, 0, 0)], 1024);
  replaced.write(0, new Uint8Array(512));
  assert.throws(() => quota.claimBytes(1), new WasiFault(51));
  table.renumber(0, 1);
  quota.claimBytes(512);
  assert.equal(replaced.size, 0);
});

Deno.test("DescriptorTable.get() knows no numbers beyond the table", () => {
  const table = new DescriptorTable([openFile()], 1024);
  for (const fd of [1, -1, 0x7fffffff, -0x80000000]) assert.throws(() => table.get(fd), new WasiFault(8));
});

Deno.test("Descriptor rights are those of its kind, and missing ones are EBADF for input and output", () => {
  const directory = OpenDirectory.preopen(emptyDirectory(), "/");
  assert.equal(directory.rights & (RIGHTS.FD_READ | RIGHTS.FD_WRITE | RIGHTS.FD_SEEK), 0);
  assert.equal(directory.inheriting, RIGHTS_ALL);
  const file = openFile(RIGHTS.FD_READ | RIGHTS.PATH_FILESTAT_GET);
  assert.equal(file.rights, RIGHTS.FD_READ);
  assert.throws(() => file.require(RIGHTS.FD_WRITE), new WasiFault(8));
  assert.throws(() => file.require(RIGHTS.FD_SEEK), new WasiFault(76));
  file.require(RIGHTS.FD_READ);
});

Deno.test("DescriptorTable.file() says what a descriptor is instead", () => {
  const table = new DescriptorTable([
    new InputStream({ read: () => new Uint8Array(0) }),
    OpenDirectory.preopen(emptyDirectory(), "."),
    openFile(),
  ], 8);
  assert.throws(() => table.file(0, RIGHTS.FD_SEEK), new WasiFault(70));
  assert.throws(() => table.file(1, RIGHTS.FD_READ | RIGHTS.FD_SEEK), new WasiFault(31));
  assert.throws(() => table.file(1, RIGHTS.FD_WRITE | RIGHTS.FD_SEEK), new WasiFault(8));
  assert(table.file(2, RIGHTS.FD_WRITE) instanceof OpenFile);
});
