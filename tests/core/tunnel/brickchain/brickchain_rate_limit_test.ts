import { strictEqual } from "node:assert/strict";
import {
  BrickchainRateLimit,
  MAX_REQUESTS_PER_WINDOW,
  MAX_WINDOWS,
  WINDOW_MS,
} from "../../../../core/tunnel/brickchain/brickchain_rate_limit.ts";

Deno.test("500 requests pass in five minutes, then none until they are over, for each client", () => {
  const limit = new BrickchainRateLimit();
  for (let i = 0; i < MAX_REQUESTS_PER_WINDOW; i++) strictEqual(limit.take("a", 1_000 + i), true);
  strictEqual(limit.take("a", 2_000), false);
  strictEqual(limit.take("b", 2_000), true);
  strictEqual(limit.take("a", 1_000 + WINDOW_MS - 1), false);
  strictEqual(limit.take("a", 1_000 + WINDOW_MS), true);
});

Deno.test("clients beyond the bound push out the window that began first", () => {
  const limit = new BrickchainRateLimit();
  for (let i = 0; i < MAX_REQUESTS_PER_WINDOW; i++) limit.take("first", 0);
  for (let i = 1; i < MAX_WINDOWS; i++) limit.take(`other${i}`, 0);
  strictEqual(limit.take("first", 0), false);
  limit.take("one more", 0);
  strictEqual(limit.take("first", 0), true);
});
