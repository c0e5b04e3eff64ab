/** Tests that the description of the wire and the code say the same. */

import { deepEqual, equal } from "node:assert/strict";
import * as limits from "../../../core/protocol/limits.ts";
import * as frames from "../../../core/session/frame.ts";

const README = await Deno.readTextFile(new URL("../../../core/protocol/README.md", import.meta.url));

Deno.test("core/protocol/README.md names every limit with its value", () => {
  const rows = [...README.matchAll(/^\| `([A-Z_0-9]+)` \| ([^|]+) \|/gm)];
  const said = Object.fromEntries(
    rows.map(([, name, value]) => [name, value!.replaceAll(/[`,]/g, "").trim()]),
  );
  const expected = Object.fromEntries(Object.entries(limits).map(([name, value]) => [name, String(value)]));
  deepEqual(said, expected);
});

Deno.test("core/protocol/README.md has every frame type, and says right which are sequenced", () => {
  const rows = [...README.matchAll(/^\| 0x(\w\w) \| (\w+) +\|.*\| (yes|no) +\|$/gm)];
  for (const [, number = "", name = "", sequenced] of rows) {
    const type = (frames as unknown as Record<string, number>)[`FRAME_${name}`];
    equal(type, parseInt(number, 16), name);
    equal(frames.isSequenced(type as frames.Frame["type"]), sequenced === "yes", name);
  }
  equal(rows.length, Object.keys(frames).filter((name) => name.startsWith("FRAME_")).length);
});
