import { deepEqual, equal, rejects } from "node:assert/strict";
import fc from "fast-check";
import { base32 } from "../../../core/tunnel/base32.ts";
import {
  generateTunnelKey,
  tunnelIdentity,
  tunnelKeyId,
  tunnelKeyJwk,
  verifyTunnelSignature,
} from "../../../core/tunnel/tunnel_key.ts";

/** The key of RFC 7515 A.3; its id was computed with Python. */
const JWK = {
  crv: "P-256",
  kty: "EC",
  x: "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
  y: "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
};
const POINT = Uint8Array.fromHex(
  "047fcdce2770f6c45d4183cbee6fdb4b7b580733357be9ef13bacf6e3c7bd15445" +
    "c7f144cd1bbd9b7e872cdfedb9eeb9f4b3695d6ea90b24ad8a4623288588e5ad",
);
const ID = "ucrdfqxrssstku6lcmin3paiehsbjoox5p6csczsgccnpuicb7sq";

Deno.test("tunnelKeyId() is the thumbprint of the key in base32", async () => {
  deepEqual(tunnelKeyJwk(POINT), JWK);
  equal(await tunnelKeyId(POINT), ID);
});

Deno.test("base32() writes the vectors of RFC 4648, lower case and without padding", () => {
  const rows = [["", ""], ["f", "my"], ["fo", "mzxq"], ["foo", "mzxw6"], ["foob", "mzxw6yq"], [
    "fooba",
    "mzxw6ytb",
  ]];
  for (const [text, expected] of rows) equal(base32(new TextEncoder().encode(text)), expected);
  equal(base32(new TextEncoder().encode("foobar")), "mzxw6ytboi");
});

Deno.test("verifyTunnelSignature() believes the owner of the key, and nobody else", async () => {
  const mine = await tunnelIdentity(await generateTunnelKey());
  const other = await tunnelIdentity(await generateTunnelKey());
  const bytes = new TextEncoder().encode("what was signed");
  const signature = await mine.sign(bytes);
  equal(signature.length, 64);
  equal(await verifyTunnelSignature(mine.publicKey, signature, bytes), true);
  equal(await verifyTunnelSignature(other.publicKey, signature, bytes), false);
  equal(await verifyTunnelSignature(mine.publicKey, signature, bytes.subarray(1)), false);
  equal(await verifyTunnelSignature(mine.publicKey, signature.subarray(1), bytes), false);
  equal(await verifyTunnelSignature(mine.publicKey, new Uint8Array(64), bytes), false);
});

Deno.test("verifyTunnelSignature() refuses whatever is no point of P-256", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 100 }), async (key) => {
      await rejects(verifyTunnelSignature(key, new Uint8Array(64), new Uint8Array()), {
        code: "invalid_argument",
      });
    }),
    { numRuns: 50 },
  );
  const offCurve = POINT.slice();
  offCurve[64]! ^= 1;
  await rejects(verifyTunnelSignature(offCurve, new Uint8Array(64), POINT), { code: "invalid_argument" });
});
