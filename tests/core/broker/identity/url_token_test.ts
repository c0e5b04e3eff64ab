import assert from "node:assert/strict";
import { tokenInUrl } from "../../../../core/broker/identity/url_token.ts";

const CASES: readonly [query: string, authorization: string | null, token: string | undefined][] = [
  ["", null, undefined],
  ["?token=abc", null, "abc"],
  ["?token=", null, undefined],
  ["?id=x&token=a%2Bb", `Basic ${btoa("u:other")}`, "a+b"],
  ["", `Basic ${btoa("user:pass:word")}`, "pass:word"],
  ["", `basic  ${btoa("abc:")} `, "abc"],
  ["", `Basic ${btoa("abc")}`, "abc"],
  ["", `Basic ${btoa(":")}`, undefined],
  ["", "Basic !!!", undefined],
  ["", "Basic a", undefined],
  ["", "Bearer abc", undefined],
];
for (const [query, authorization, token] of CASES) {
  Deno.test(`the token of "${query}" with ${authorization ?? "no authorization"} is ${token ?? "none"}`, () => {
    const headers = new Headers(authorization === null ? {} : { authorization });
    assert.equal(tokenInUrl({ url: new URL(`http://h/ws${query}`), headers }), token);
  });
}
