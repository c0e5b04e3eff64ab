import { equal, throws } from "node:assert/strict";
import { MAX_TUNNEL_NONCES, TUNNEL_NONCE_MS } from "../../../core/protocol/limits.ts";
import { TunnelNonces } from "../../../core/tunnel/tunnel_nonces.ts";

function fixture() {
  let now = 0;
  let next = 0;
  const nonces = new TunnelNonces({ now: () => now, fillRandom: (bytes) => void bytes.fill(++next) });
  return { nonces, pass: (ms: number) => now += ms };
}

const REFUSED = { code: "permission_denied" };

Deno.test("TunnelNonces.take() uses a nonce up", () => {
  const { nonces } = fixture();
  const nonce = nonces.issue();
  equal(nonce.length, 32);
  nonces.take(nonce);
  throws(() => nonces.take(nonce), REFUSED);
  throws(() => nonces.take(new Uint8Array(32)), REFUSED);
});

Deno.test("TunnelNonces.take() refuses a nonce that is too old", () => {
  const { nonces, pass } = fixture();
  const [good, late] = [nonces.issue(), nonces.issue()];
  pass(TUNNEL_NONCE_MS - 1);
  nonces.take(good);
  pass(1);
  throws(() => nonces.take(late), REFUSED);
});

Deno.test("TunnelNonces.issue() forgets the oldest beyond its bound", () => {
  const { nonces } = fixture();
  const all = Array.from({ length: MAX_TUNNEL_NONCES + 1 }, () => nonces.issue());
  throws(() => nonces.take(all[0]!), REFUSED);
  for (const nonce of all.slice(1)) nonces.take(nonce);
});
