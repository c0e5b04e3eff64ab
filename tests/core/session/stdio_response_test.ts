import { deepEqual, equal, throws } from "node:assert/strict";
import { WasimoffError } from "../../../core/errors.ts";
import { AcceptedStdio } from "../../../core/session/stdio_response.ts";
import { SessionPair } from "../../support/session_pair.ts";

const DISK = new WasimoffError("data_loss", "disk is broken");

Deno.test("AcceptedStdio refuses ids that are no streams of the requester and keeps none of the others", () => {
  using pair = new SessionPair();
  const stdio = (fields: { stdin?: number; stdout?: number; stderr?: number }) =>
    ({ stdinBytes: new Uint8Array(0), stdin: 0, stdout: 0, stderr: 0, artifacts: 0, ...fields }) as never;
  for (
    const fields of [{ stdout: 2, stderr: 2 }, { stdin: 3, stdout: 2 }, { stdin: 2, stdout: 4, stderr: 2 }]
  ) {
    throws(() => new AcceptedStdio(pair.acceptor, stdio(fields)), { code: "invalid_argument" });
    equal(pair.acceptor.streams.size, 0);
  }
  const none = new AcceptedStdio(pair.acceptor, undefined);
  deepEqual([none.stdin, none.stdinBytes.length, none.stdout.length], [null, 0, 0]);
  none.stdout.write(Uint8Array.of(1));
  none.stdout.end();
  none.abort(DISK);
});
