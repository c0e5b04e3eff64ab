/** Tests of hashes of certificates on the command line. */

import assert from "node:assert/strict";
import { certHashes } from "../../commands/cert_hash.ts";

const HASH = "99e3bbf5a27dbbdf0a9789098692b3a8cf17911979c3406e4263b66e1cf0f2b0";
const COLONS = HASH.toUpperCase().replaceAll(/..(?=.)/g, "$&:");

Deno.test("certHashes takes hex with colons or without, repeated or in a list", () => {
  const parse = (...texts: string[]) => certHashes.parse(texts).map((hash) => hash.toHex());
  assert.deepEqual(parse(HASH), [HASH]);
  assert.deepEqual(parse(COLONS, `${HASH}, ${"0".repeat(64)},`), [HASH, HASH, "0".repeat(64)]);
  assert.equal(certHashes.format(certHashes.parse([HASH])), HASH);
});

Deno.test("certHashes refuses what is no SHA-256", () => {
  for (const text of ["abc", `${HASH}00`, HASH.slice(2), `z${HASH.slice(1)}`, `sha256:${HASH}`]) {
    assert.throws(() => certHashes.parse([text]), {
      code: "invalid_argument",
      message: `"${text}" is no SHA-256 of a certificate: give 64 hexadecimal digits`,
    });
  }
});
