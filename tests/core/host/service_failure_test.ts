import { strictEqual } from "node:assert/strict";
import { WasimoffError } from "../../../core/errors.ts";
import { InvalidAnswer, serviceFailure } from "../../../core/host/service_failure.ts";

const withCode = (code: string) => Object.assign(new Error("x"), { code });

const CASES: readonly (readonly [error: Error, status: number, title: string])[] = [
  [new WasimoffError("unavailable", "x"), 502, "Service is down"],
  [new WasimoffError("aborted", "x"), 502, "Connection lost"],
  [new WasimoffError("resource_exhausted", "x"), 503, "Too busy"],
  [new WasimoffError("deadline_exceeded", "x"), 504, "No answer"],
  [withCode("ECONNRESET"), 502, "Connection lost"],
  [withCode("HPE_INVALID_CONSTANT"), 502, "Invalid answer"],
  [new InvalidAnswer("x"), 502, "Invalid answer"],
];

for (const [error, status, title] of CASES) {
  Deno.test(`a visitor is told ${status} ${title} for ${error.name} ${(error as { code?: string }).code ?? ""}`, () => {
    const failure = serviceFailure(error);
    strictEqual(failure.status, status);
    strictEqual(failure.title, title);
  });
}
