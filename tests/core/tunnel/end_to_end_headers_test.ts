import { deepStrictEqual } from "node:assert/strict";
import { endToEndHeaders, endToEndTrailers, valuesOf } from "../../../core/tunnel/end_to_end_headers.ts";

const CASES: readonly (readonly [what: string, given: string[], passed: string[]])[] = [
  ["repeated headers, in order and case", ["X-A", "1", "b", "", "x-a", "2"], [
    "X-A",
    "1",
    "b",
    "",
    "x-a",
    "2",
  ]],
  ["what is for the next hop only", [
    ...["Connection", "keep-alive", "Keep-Alive", "timeout=5", "TE", "gzip", "Transfer-Encoding", "chunked"],
    ...["Upgrade", "h2c", "Proxy-Connection", "close", "Proxy-Authorization", "x", "A", "1"],
  ], ["A", "1"]],
  ["what Connection names", ["connection", "X-One, x-two", "X-ONE", "1", "X-Two", "2", "X-Three", "3"], [
    "X-Three",
    "3",
  ]],
  ["what several Connection headers name", [
    "Connection",
    "a",
    "Connection",
    "b\t,c",
    "A",
    "1",
    "B",
    "2",
    "C",
    "3",
  ], []],
  ["host and length, whatever Connection names", [
    ...["Connection", "host, content-length", "Host", "a", "Content-Length", "3"],
  ], ["Host", "a", "Content-Length", "3"]],
  ["Trailer, which is for all", ["Trailer", "X-T"], ["Trailer", "X-T"]],
];

for (const [what, given, passed] of CASES) {
  Deno.test(`endToEndHeaders() knows ${what}`, () => deepStrictEqual(endToEndHeaders(given), passed));
}

Deno.test("endToEndHeaders() leaves out what it is told to", () => {
  deepStrictEqual(endToEndHeaders(["A", "1", "B", "2"], (name) => name === "a"), ["B", "2"]);
});

Deno.test("endToEndTrailers() leaves out what would change how the message is read", () => {
  const raw = [
    "X-T",
    "1",
    "Content-Length",
    "5",
    "Transfer-Encoding",
    "x",
    "Set-Cookie",
    "a",
    "Host",
    "b",
    "x-t",
    "2",
  ];
  deepStrictEqual(endToEndTrailers(raw), [["X-T", "1"], ["x-t", "2"]]);
});

Deno.test("valuesOf() finds all values of a header in any case", () => {
  deepStrictEqual(valuesOf(["Host", "a", "HOST", "b", "hostt", "c"], "host"), ["a", "b"]);
});
