import { deepStrictEqual, throws } from "node:assert/strict";
import { readRunHeaders } from "../../../../core/broker/http/run_headers.ts";

const NOTHING = { args: [], env: [], rootfs: null, artifacts: [] };
/** How text in UTF-8 comes out of a header, one character for each byte. */
const asBytes = (text: string) => String.fromCharCode(...new TextEncoder().encode(text));

const TABLE:
  readonly (readonly [raw: readonly string[], read: Partial<ReturnType<typeof readRunHeaders>>])[] = [
    [["Host", "x", "Accept", "*/*"], {}],
    [["X-Args", "a 'b c'"], { args: ["a", "b c"] }],
    [["x-ARGS", "first", "X-Args", "second"], { args: ["first"] }],
    [["x-env-path", "1", "X-ENV-My-Key", "2", "X-Env-PATH", "3", "X-Env-", "4"], {
      env: ["PATH=1", "MY-KEY=2"],
    }],
    [["X-RootFS-Ref", "zip"], { rootfs: "zip" }],
    [["X-Rootfs-Ref", "zip"], { rootfs: "zip" }],
    [["x-rootfs-ref", ""], { rootfs: "" }],
    [["X-Artifact", "a, b", "x-artifact", "c"], { artifacts: ["a, b", "c"] }],
    [
      ["Content-Type", "text/x", "Content-Length", "5", "X-Env-Content_Type", "mine"],
      { env: ["CONTENT_TYPE=mine", "CONTENT_LENGTH=5", "CONTENT_TYPE=text/x"] },
    ],
    [["X-Args", asBytes("grün"), "X-Env-A", "\xfcber"], { args: ["grün"], env: ["A=über"] }],
  ];

Deno.test("readRunHeaders() takes every spelling of a name", () => {
  for (const [raw, read] of TABLE) {
    deepStrictEqual(readRunHeaders(raw), { ...NOTHING, ...read }, JSON.stringify(raw));
  }
});

Deno.test("readRunHeaders() refuses arguments with bad quotes", () => {
  throws(() => readRunHeaders(["X-Args", "'"]), { code: "invalid_argument" });
});
