import { strictEqual } from "node:assert/strict";
import { BrickchainReplays, MAX_USED_TOKENS } from "../../../../core/tunnel/brickchain/brickchain_replays.ts";

Deno.test("a token is good for the connection that used it first, for no other", () => {
  const replays = new BrickchainReplays();
  const [one, other] = [{ owner: {}, expiresAt: 100 }, { owner: {}, expiresAt: 100 }];
  strictEqual(replays.claim("a", one, 0), true);
  strictEqual(replays.claim("a", one, 1), true);
  strictEqual(replays.claim("a", other, 100), false);
  strictEqual(replays.claim("b", other, 0), true);
});

Deno.test("expired tokens are forgotten, and the oldest when there are too many", () => {
  const replays = new BrickchainReplays();
  const owner = {};
  const claim = (nonce: string, expiresAt: number, now: number) =>
    replays.claim(nonce, { owner, expiresAt }, now);
  claim("first", 100, 0);
  for (let i = 1; i <= MAX_USED_TOKENS; i++) claim(`more${i}`, 100, 0);
  strictEqual(replays.claim("first", { owner: {}, expiresAt: 100 }, 0), true);
  claim("later", 500, 101);
  strictEqual(replays.claim(`more${MAX_USED_TOKENS}`, { owner: {}, expiresAt: 200 }, 101), true);
});
