import { deepEqual, equal } from "node:assert/strict";
import {
  closeCode,
  codeFromNumber,
  codeNumber,
  CODES,
  exitCode,
  httpStatus,
  WasimoffError,
} from "../../core/errors.ts";

Deno.test("every code has its gRPC number, HTTP status, close code and exit status", () => {
  const table = CODES.map((code) =>
    [code, codeNumber(code), httpStatus(code), closeCode(code), exitCode(code)].join(" ")
  );
  deepEqual(table, [
    "canceled 1 499 1000 130",
    "unknown 2 500 1011 1",
    "invalid_argument 3 400 1002 2",
    "deadline_exceeded 4 504 1011 1",
    "not_found 5 404 1008 1",
    "already_exists 6 409 1008 1",
    "permission_denied 7 403 1008 4",
    "resource_exhausted 8 429 1013 75",
    "failed_precondition 9 412 1008 78",
    "aborted 10 409 1011 1",
    "out_of_range 11 413 1009 1",
    "unimplemented 12 501 1003 1",
    "internal 13 500 1011 1",
    "unavailable 14 503 1001 69",
    "data_loss 15 500 1011 1",
    "unauthenticated 16 401 1008 4",
  ]);
  for (const code of CODES) equal(codeFromNumber(codeNumber(code)), code);
  deepEqual([0, 17, -1, 1.5, NaN].map(codeFromNumber), Array(5).fill("unknown"));
});

Deno.test("only unavailable, aborted and resource_exhausted are worth another try", () => {
  const retryable = CODES.filter((code) => new WasimoffError(code, "").retryable);
  deepEqual(retryable, ["resource_exhausted", "aborted", "unavailable"]);
});

Deno.test("WasimoffError.from() keeps ours and the meaning of the platform's aborts", () => {
  const ours = new WasimoffError("data_loss", "gone");
  equal(WasimoffError.from(ours, "internal"), ours);
  const abort = new DOMException("stopped", "AbortError");
  const timeout = new DOMException("late", "TimeoutError");
  deepEqual([WasimoffError.from(abort).code, WasimoffError.from(timeout).code], [
    "canceled",
    "deadline_exceeded",
  ]);
  equal(WasimoffError.from(abort).cause, abort);
});

Deno.test("WasimoffError.from() makes an error of anything that can be thrown", () => {
  const rows: [unknown, string][] = [
    [new Error("disk"), "disk"],
    [new RangeError(""), "RangeError"],
    ["text", "text"],
    [undefined, "undefined"],
    [Symbol("s"), "Symbol(s)"],
    [Object.create(null), "something that has no text was thrown"],
    [
      {
        toString() {
          throw new Error("hostile");
        },
      },
      "something that has no text was thrown",
    ],
  ];
  for (const [thrown, message] of rows) {
    const error = WasimoffError.from(thrown, "internal");
    deepEqual([error.code, error.message, error.cause], ["internal", message, thrown]);
  }
  equal(WasimoffError.from(null).code, "unknown");
});
