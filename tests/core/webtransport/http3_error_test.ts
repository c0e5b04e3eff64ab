import { deepEqual, equal } from "node:assert/strict";
import { WasimoffError } from "../../../core/errors.ts";
import { Http3Error } from "../../../core/webtransport/http3_error.ts";

Deno.test("an Http3Error carries the number for the peer, its scope, and a code of ours", () => {
  const error = new Http3Error("H3_FRAME_ERROR", "read frames: cut short");
  equal(error instanceof WasimoffError, true);
  deepEqual([error.http3Code, error.scope, error.code], [0x106, "connection", "invalid_argument"]);
});

Deno.test("errors about one message or session end only its stream", () => {
  const scopes = (["H3_MESSAGE_ERROR", "H3_REQUEST_REJECTED", "WT_SESSION_GONE"] as const).map((name) =>
    new Http3Error(name, "no").scope
  );
  deepEqual(scopes, ["stream", "stream", "stream"]);
});

Deno.test("the scope of an Http3Error may be given, and refusals may be tried again", () => {
  const error = new Http3Error("H3_EXCESSIVE_LOAD", "too much", { scope: "stream", cause: 1 });
  deepEqual([error.scope, error.cause, error.retryable], ["stream", 1, true]);
});
