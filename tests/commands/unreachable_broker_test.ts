/** Tests of what people are told when the broker cannot be reached. */

import assert from "node:assert/strict";
import { unreachableBroker } from "../../commands/unreachable_broker.ts";
import { WasimoffError } from "../../core/errors.ts";

const BROKER = new URL("https://broker.example/");
const sent = (reason: string) =>
  new TypeError("fetch failed", {
    cause: new Error(
      `error sending request for url (https://broker.example/x): client error (Connect): ${reason}`,
    ),
  });

Deno.test("unreachableBroker() names the broker, the reason and what to do", () => {
  const cases: [unknown, string][] = [
    [sent("tcp connect error: Connection refused (os error 111)"), 'start one with "wasimoff broker"'],
    [
      sent("invalid peer certificate: UnknownIssuer"),
      "its certificate is not trusted (UnknownIssuer), give its CA by --ca or its SHA-256 by --cert-hash",
    ],
    [sent("dns error: failed to lookup address"), "dns error: failed to lookup address"],
    ["odd", "no reason given"],
  ];
  for (const [cause, reason] of cases) {
    const { code, message } = unreachableBroker(BROKER, cause);
    assert.deepEqual([code, message], [
      "unavailable",
      `cannot reach the broker at "https://broker.example/": ${reason}`,
    ]);
  }
});

Deno.test("unreachableBroker() leaves an error of ours as it is, but for a broker that is not there", () => {
  const ours = new WasimoffError("unavailable", 'cannot reach "wss://x": its certificate is not trusted');
  assert.equal(unreachableBroker(BROKER, ours), ours);
  const cause = Object.assign(new Error("connect ECONNREFUSED 127.0.0.1:1"), { code: "ECONNREFUSED" });
  const refused = new WasimoffError("unavailable", 'cannot reach "wss://x": nothing listens there', {
    cause,
  });
  assert.match(unreachableBroker(BROKER, refused).message, /: start one with "wasimoff broker"$/);
});
