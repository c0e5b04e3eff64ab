/** Tests of the flags that give the guest directories. */

import assert from "node:assert/strict";
import { guestDirectories, parseDirectoryFlag } from "../../commands/guest_directories.ts";
import { temporaryDirectory } from "./temporary_directory.ts";

Deno.test("parseDirectoryFlag() takes the host's name for the guest's unless told otherwise", () => {
  assert.deepEqual(parseDirectoryFlag("data"), { host: "data", guest: "data", readOnly: false });
  assert.deepEqual(parseDirectoryFlag("./a/b::/x"), { host: "./a/b", guest: "/x", readOnly: false });
  assert.deepEqual(parseDirectoryFlag("a:b::."), { host: "a:b", guest: ".", readOnly: false });
  assert.deepEqual(parseDirectoryFlag("data::/d::ro"), { host: "data", guest: "/d", readOnly: true });
  for (const text of ["", "::x", "x::", "x::y::", "x::y::rw", "x::y::ro::"]) {
    assert.throws(() => parseDirectoryFlag(text), {
      code: "invalid_argument",
      message: /write HOST, HOST::GUEST or HOST::GUEST::ro$/,
    });
  }
});

Deno.test("guestDirectories() gives an empty . when nothing is asked for", async () => {
  assert.deepEqual(await guestDirectories({ rootfs: null, dir: [] }), [{
    guest: ".",
    zip: null,
    readOnly: false,
  }]);
});

Deno.test("guestDirectories() puts the rootfs first and reads it as it is", async () => {
  await using directory = await temporaryDirectory();
  const zip = `${directory.path}/root.zip`;
  await Deno.writeTextFile(zip, "PK\x03\x04 as is");
  await Deno.mkdir(`${directory.path}/empty`);
  const found = await guestDirectories({ rootfs: zip, dir: [`${directory.path}/empty::data`] });
  assert.deepEqual(found, [
    { guest: "/", zip: new TextEncoder().encode("PK\x03\x04 as is"), readOnly: false },
    { guest: "data", zip: null, readOnly: false },
  ]);
});

Deno.test("guestDirectories() refuses a guest path given twice, and a rootfs that is none", async () => {
  await using directory = await temporaryDirectory();
  const { path } = directory;
  await assert.rejects(guestDirectories({ rootfs: null, dir: [`${path}::x`, `${path}::x`] }), {
    code: "invalid_argument",
    message: /"x" is given twice/,
  });
  await assert.rejects(guestDirectories({ rootfs: path, dir: [] }), {
    code: "invalid_argument",
    message: /is a directory/,
  });
  await Deno.writeTextFile(`${path}/text`, "text");
  await assert.rejects(guestDirectories({ rootfs: `${path}/text`, dir: [] }), {
    code: "invalid_argument",
    message: `read rootfs "${path}/text": it is no ZIP: make one, or give a directory with --dir`,
  });
  await assert.rejects(guestDirectories({ rootfs: `${path}/no`, dir: [] }), {
    code: "not_found",
    message: `read rootfs "${path}/no": there is no such file`,
  });
});
