import { deepStrictEqual, strictEqual } from "node:assert/strict";
import fc from "fast-check";
import { joinTarget, splitTarget } from "../../../../core/tunnel/brickchain/brickchain_path.ts";

Deno.test("splitTarget() decodes the path and leaves the query alone", () => {
  deepStrictEqual(splitTarget("/a%2Fb%20c%3Fd?x=%20&y?z"), { url: "/a/b c?d", query: "x=%20&y?z" });
  deepStrictEqual(splitTarget("/?"), { url: "/", query: "" });
  strictEqual(splitTarget("/%zz"), null);
  strictEqual(splitTarget("/%ff"), null);
});

Deno.test("joinTarget() encodes what a path may not have", () => {
  strictEqual(joinTarget("/a/b c?d#e%20ü", "q=1"), "/a/b%20c%3Fd%23e%2520%C3%BC?q=1");
  strictEqual(joinTarget("a", ""), "/a");
  strictEqual(joinTarget("/\r\nX: y", ""), "/%0D%0AX:%20y");
  strictEqual(joinTarget("/\ud800", ""), null);
  for (const query of ["a b", "a\r\nb", "ü", "a#b"]) strictEqual(joinTarget("/", query), null);
});

Deno.test("a path comes through both as it was", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      const url = `/${text}`;
      deepStrictEqual(splitTarget(joinTarget(url, "q=1")!), { url, query: "q=1" });
    }),
  );
});
