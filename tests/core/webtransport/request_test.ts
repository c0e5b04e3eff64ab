import { deepEqual, equal } from "node:assert/strict";
import * as fc from "fast-check";
import type { HeaderField } from "../../../core/webtransport/qpack_static_table.ts";
import { Http3Error } from "../../../core/webtransport/http3_error.ts";
import { readRequest, requestFields } from "../../../core/webtransport/request.ts";
import { http3Failure } from "../../support/http3_failure.ts";

const PSEUDO: readonly HeaderField[] = [
  [":method", "CONNECT"],
  [":scheme", "https"],
  [":authority", "a:1"],
  [":path", "/x?y=1"],
];

Deno.test("a request for a session is read as it was written", () => {
  const headers = new Headers({ origin: "https://o", "wt-available-protocols": '"p", "q"' });
  const request = {
    authority: "a:1",
    path: "/x",
    query: "?y=1",
    headers,
    origin: "https://o",
    protocols: [],
  };
  const { method, path, session } = readRequest(requestFields(request));
  deepEqual([method, path], ["CONNECT", "/x"]);
  deepEqual([session?.authority, session?.path, session?.query], ["a:1", "/x", "?y=1"]);
  deepEqual([session?.origin, session?.protocols], ["https://o", ["p", "q"]]);
});

Deno.test("readRequest() knows sessions by the names of early and late drafts", () => {
  const isSession = (protocol: string) =>
    readRequest([[":protocol", protocol], ...PSEUDO]).session !== undefined;
  deepEqual(["webtransport", "webtransport-h3", "websocket", ""].map(isSession), [true, true, false, false]);
});

Deno.test("readRequest() takes requests that are for no session", () => {
  const plain = [[":method", "GET"], [":scheme", "https"], [":path", "/x?y"], ["te", "trailers"]] as const;
  deepEqual(readRequest(plain), { method: "GET", path: "/x", session: undefined });
  const connect = readRequest([[":method", "CONNECT"], [":authority", "a:1"], ["host", "a:1"]]);
  deepEqual(connect, { method: "CONNECT", path: "", session: undefined });
});

const BAD: readonly [string, readonly HeaderField[]][] = [
  ["no method", PSEUDO.slice(1)],
  ["a method twice", [...PSEUDO, [":method", "GET"]]],
  ["an unknown pseudo-header", [...PSEUDO, [":status", "200"]]],
  ["a pseudo-header behind a header", [...PSEUDO, ["a", "b"], [":protocol", "webtransport"]]],
  ["a header of HTTP/1", [...PSEUDO, ["connection", "close"]]],
  ["a session without authority", [[":protocol", "webtransport"], [":method", "CONNECT"], [":path", "/"]]],
  ["a protocol without CONNECT", [[":protocol", "webtransport"], ...PSEUDO.slice(1), [":method", "GET"]]],
  ["a CONNECT with a path and without a protocol", PSEUDO],
  ["a CONNECT without an authority", [[":method", "CONNECT"]]],
  ["a request without a path", [[":method", "GET"], [":scheme", "https"], [":authority", "a"]]],
  ["a request with an empty path", [[":method", "GET"], [":scheme", "https"], [":path", ""]]],
  ["a request without a scheme", [[":method", "GET"], [":path", "/"], [":authority", "a"]]],
  ["two hosts", [[":protocol", "webtransport"], ...PSEUDO, ["host", "b"]]],
  ["a te that is not trailers", [[":protocol", "webtransport"], ...PSEUDO, ["te", "gzip"]]],
  ["a session without https", [[":protocol", "webtransport"], ...PSEUDO.slice(2), [":method", "CONNECT"]]],
];

for (const [what, fields] of BAD) {
  Deno.test(`readRequest() refuses ${what}`, () => {
    deepEqual(http3Failure(() => readRequest(fields)), ["H3_MESSAGE_ERROR", "stream"]);
  });
}

Deno.test("readRequest() takes any fields, or says what is wrong", () => {
  const name = fc.constantFrom(
    ":method",
    ":protocol",
    ":scheme",
    ":authority",
    ":path",
    "host",
    "te",
    "origin",
    "a",
  );
  const value = fc.constantFrom("", "CONNECT", "GET", "webtransport", "https", "/", "?", "a:1", ',"');
  fc.assert(fc.property(fc.array(fc.tuple(name, value), { maxLength: 9 }), (fields) => {
    try {
      const { method, session } = readRequest(fields);
      equal(method.startsWith(":"), false);
      if (session !== undefined) equal(session.path[0], "/");
    } catch (error) {
      if (!(error instanceof Http3Error)) throw error;
      equal(error.http3Name, "H3_MESSAGE_ERROR");
    }
  }));
});
