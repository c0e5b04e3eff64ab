import { deepStrictEqual, strictEqual } from "node:assert/strict";
import {
  forwardableHeaders,
  requestHeaders,
  responseHeaders,
} from "../../../../core/tunnel/brickchain/brickchain_headers.ts";

Deno.test("requestHeaders() spells names as Go does and keeps the first value of each", () => {
  const raw = ["HOST", "a", "x-TWO-b", "1", "X-Two-B", "2", "etag", "3", "Content-Length", "5"];
  deepStrictEqual(requestHeaders(raw, { webSocket: false, proxy: false }), {
    "X-Two-B": "1",
    "Etag": "3",
    "Content-Length": "5",
  });
});

Deno.test("requestHeaders() believes proxies only, and leaves out what a handshake says for itself", () => {
  const raw = ["X-Forwarded-For", "10.0.0.1", "Sec-WebSocket-Key", "k", "Sec-WebSocket-Protocol", "p"];
  deepStrictEqual(requestHeaders(raw, { webSocket: true, proxy: true }), {
    "X-Forwarded-For": "10.0.0.1",
    "Sec-Websocket-Protocol": "p",
  });
  deepStrictEqual(requestHeaders(raw, { webSocket: true, proxy: false }), { "Sec-Websocket-Protocol": "p" });
});

Deno.test("requestHeaders() is not fooled by names of objects", () => {
  const headers = requestHeaders(["__proto__", "x", "constructor", "y"], { webSocket: false, proxy: false });
  strictEqual(JSON.stringify(headers), '{"__proto__":"x","Constructor":"y"}');
});

Deno.test("forwardableHeaders() refuses what would break a message, and drops what is for one hop", () => {
  for (
    const [name, value] of [["a b", "1"], ["", "1"], ["a", "1\r\nb: 2"], ["a", "\0"], ["a", "\x7f"], [
      "a:",
      "1",
    ]]
  ) {
    strictEqual(forwardableHeaders({ [name!]: value! }), null);
  }
  deepStrictEqual(
    forwardableHeaders({
      "Connection": "x-hop",
      "X-Hop": "1",
      "Transfer-Encoding": "chunked",
      "X-Own": "a\t1",
      "Host": "h",
    }),
    ["X-Own", "a\t1"],
  );
});

Deno.test("responseHeaders() joins lists and keeps the first cookie", () => {
  deepStrictEqual(responseHeaders(["vary", "a", "Vary", "b", "set-cookie", "a=1", "Set-Cookie", "b=2"]), {
    "Vary": "a, b",
    "Set-Cookie": "a=1",
  });
});

Deno.test("values that are UTF-8 travel as that text, and bytes that are none come back as they were", () => {
  const options = { webSocket: false, proxy: false };
  const cases = [["\xc3\xbc \xe6\x97\xa5", "ü 日"], ["a\xfc", "a\udcfc"], [
    "\xed\xa0\x80",
    "\udced\udca0\udc80",
  ]];
  for (const [bytes, text] of cases as [string, string][]) {
    deepStrictEqual(requestHeaders(["X-Own", bytes], options), { "X-Own": text });
    deepStrictEqual(responseHeaders(["X-Own", bytes]), { "X-Own": text });
    deepStrictEqual(forwardableHeaders({ "X-Own": text }), ["X-Own", bytes]);
  }
});
