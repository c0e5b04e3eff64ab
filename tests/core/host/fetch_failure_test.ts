/** Tests of what people are told when a server cannot be reached. */

import { deepStrictEqual } from "node:assert/strict";
import { explainFetch } from "../../../core/host/fetch_failure.ts";

const PLACE = "error sending request for url (https://a:1/api)";
/** What newer versions of Deno write instead, for some failures. */
const LONG_PLACE = "error sending request from 127.0.0.1:2 for http://a:1/api (127.0.0.1:1)";

const CASES: readonly [thrown: unknown, refused: boolean, reason: string][] = [
  [
    new Error(`${PLACE}: client error (Connect): tcp connect error: Connection refused (os error 111)`),
    true,
    "nothing listens there, start one with: wasimoff broker",
  ],
  [
    new Error(`${PLACE}: client error (Connect): invalid peer certificate: UnknownIssuer`),
    false,
    "its certificate is not trusted (UnknownIssuer), give its CA by --ca or its SHA-256 by --cert-hash",
  ],
  [
    new Error(`${LONG_PLACE}: client error (SendRequest): invalid HTTP version parsed`),
    false,
    "invalid HTTP version parsed",
  ],
  [
    new TypeError("fetch failed", { cause: new Error("ECONNREFUSED") }),
    true,
    "nothing listens there, start one with: wasimoff broker",
  ],
  ["nothing", false, "no reason given"],
];

Deno.test("explainFetch() says why without the place, and what to do", () => {
  for (const [thrown, refused, reason] of CASES) deepStrictEqual(explainFetch(thrown), { refused, reason });
});
