/** Tests of where artifacts go. */

import assert from "node:assert/strict";
import { ArtifactOutput, checkArtifactFlags, checkArtifactTarget } from "../../commands/artifact_output.ts";
import { packDirectory } from "../../commands/pack_directory.ts";
import { WasimoffError } from "../../core/errors.ts";
import { temporaryDirectory } from "./temporary_directory.ts";

const noLinks = () => assert.fail("a link was left out");

Deno.test("checkArtifactFlags() wants -o and --artifact together", () => {
  checkArtifactFlags({ artifact: [], output: null });
  checkArtifactFlags({ artifact: ["out"], output: "dir" });
  assert.throws(() => checkArtifactFlags({ artifact: ["out"], output: null }), {
    code: "invalid_argument",
    message: "--artifact without -o: say where to, with -o FILE.zip or -o DIRECTORY",
  });
  assert.throws(() => checkArtifactFlags({ artifact: [], output: "dir" }), { code: "invalid_argument" });
});

Deno.test("checkArtifactTarget() refuses a place that cannot take artifacts", async () => {
  await using directory = await temporaryDirectory();
  const { path } = directory;
  await Deno.writeTextFile(`${path}/plain`, "");
  await Deno.mkdir(`${path}/dir.zip`);
  for (const fine of [path, `${path}/new`, `${path}/new.zip`, "new.zip"]) await checkArtifactTarget(fine);
  const cases: [string, RegExp][] = [
    [`${path}/plain`, /is a file: name a directory/],
    [`${path}/dir.zip`, /is a directory: name a file in it$/],
    [`${path}/no/out.zip`, /there is no directory ".*\/no\/", make it first$/],
  ];
  for (const [target, message] of cases) {
    await assert.rejects(checkArtifactTarget(target), { code: "invalid_argument", message });
  }
});

Deno.test("ArtifactOutput.save() writes the bytes of the ZIP to a file", async () => {
  await using directory = await temporaryDirectory();
  const path = `${directory.path}/out.ZIP`;
  const output = new ArtifactOutput(path, noLinks);
  output.write(Uint8Array.of(1, 2));
  output.write(Uint8Array.of(3));
  output.end();
  assert.equal(await output.save(), true);
  assert.deepEqual(await Deno.readFile(path), Uint8Array.of(1, 2, 3));
});

Deno.test("ArtifactOutput.save() unpacks the ZIP into a directory", async () => {
  await using directory = await temporaryDirectory();
  await Deno.mkdir(`${directory.path}/from`);
  await Deno.writeTextFile(`${directory.path}/from/a`, "content");
  const output = new ArtifactOutput(`${directory.path}/to`, noLinks);
  output.write((await packDirectory(`${directory.path}/from`))!);
  output.end();
  assert.equal(await output.save(), true);
  assert.equal(await Deno.readTextFile(`${directory.path}/to/a`), "content");
});

Deno.test("ArtifactOutput.save() writes nothing when no whole ZIP came", async () => {
  await using directory = await temporaryDirectory();
  const path = `${directory.path}/out.zip`;
  const unended = new ArtifactOutput(path, noLinks);
  unended.write(Uint8Array.of(1));
  const aborted = new ArtifactOutput(path, noLinks);
  aborted.write(Uint8Array.of(1));
  aborted.abort();
  const unused = new ArtifactOutput(path, noLinks);
  unused.end();
  for (const output of [unended, aborted, unused]) assert.equal(await output.save(), false);
  await assert.rejects(Deno.stat(path), Deno.errors.NotFound);
});

Deno.test("ArtifactOutput.write() refuses more than its limit", () => {
  const output = new ArtifactOutput("out.zip", noLinks, 4);
  output.write(new Uint8Array(4));
  assert.throws(
    () => output.write(new Uint8Array(1)),
    (error) => WasimoffError.from(error).code === "out_of_range",
  );
});

Deno.test("ArtifactOutput.save() names a file that cannot be written", async () => {
  await using directory = await temporaryDirectory();
  const path = `${directory.path}/no/out.zip`;
  const output = new ArtifactOutput(path, noLinks);
  output.write(Uint8Array.of(1));
  output.end();
  await assert.rejects(output.save(), { message: new RegExp(`^write "${path}": `) });
});
