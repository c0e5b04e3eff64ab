import { deepEqual, equal } from "node:assert/strict";
import type { HeaderField } from "../../../core/webtransport/qpack_static_table.ts";
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
  equal(readRequest(PSEUDO).session, undefined);
});

const BAD: readonly [string, readonly HeaderField[]][] = [
  ["no method", PSEUDO.slice(1)],
  ["a method twice", [...PSEUDO, [":method", "GET"]]],
  ["an unknown pseudo-header", [...PSEUDO, [":status", "200"]]],
  ["a pseudo-header behind a header", [...PSEUDO, ["a", "b"], [":protocol", "webtransport"]]],
  ["a header of HTTP/1", [...PSEUDO, ["connection", "close"]]],
  ["a session without authority", [[":protocol", "webtransport"], [":method", "CONNECT"], [":path", "/"]]],
  ["a session without https", [[":protocol", "webtransport"], ...PSEUDO.slice(2), [":method", "CONNECT"]]],
];

for (const [what, fields] of BAD) {
  Deno.test(`readRequest() refuses ${what}`, () => {
    deepEqual(http3Failure(() => readRequest(fields)), ["H3_MESSAGE_ERROR", "stream"]);
  });
}
