import { strictEqual } from "node:assert/strict";
import { originForm, targetAuthority } from "../../../core/host/tunnel_http_access.ts";

const TARGETS: readonly (readonly [target: string, authority: string | null, path: string])[] = [
  ["/", null, "/"],
  ["/a%2Fb//../?x=http://b/", null, "/a%2Fb//../?x=http://b/"],
  ["//evil/x", null, "//evil/x"],
  ["*", null, "*"],
  ["http://a.b", "a.b", "/"],
  ["HTTP://A.B:80/x?y", "a.b:80", "/x?y"],
  ["https://a.b?x", "a.b", "/?x"],
  ["http://u@a.b/", "u@a.b", "/"],
  ["http:///x", "", "/x"],
  ["ws+x://a.b/%00", "a.b", "/%00"],
];

for (const [target, authority, path] of TARGETS) {
  Deno.test(`a request target is read: ${target}`, () => {
    strictEqual(targetAuthority(target), authority);
    strictEqual(originForm(target, "GET"), path);
  });
}

Deno.test("OPTIONS for all of a host has no path", () =>
  strictEqual(originForm("http://a.b", "OPTIONS"), "*"));
