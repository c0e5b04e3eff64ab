import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { EventEmitter } from "node:events";
import type { IncomingMessage } from "node:http";
import FakeTimers from "@sinonjs/fake-timers";
import { MemoryBudget } from "../../../../core/broker/memory_budget.ts";
import { BodyFailure, HeldBody } from "../../../../core/host/brickchain/brickchain_body.ts";
import { MAX_BODY_BYTES } from "../../../../core/tunnel/brickchain/brickchain_document.ts";

const BUDGET_BYTES = 1_000_000;

function scene() {
  const incoming = new EventEmitter();
  const budget = new MemoryBudget(BUDGET_BYTES);
  const held = new HeldBody(budget);
  return { incoming, budget, held, body: held.read(incoming as IncomingMessage) };
}

const failsWith = (status: number) => (error: unknown) =>
  error instanceof BodyFailure && error.status === status;

Deno.test("a body counts in the budget until it is disposed of", async () => {
  const { incoming, budget, held, body } = scene();
  incoming.emit("data", Uint8Array.of(1, 2));
  incoming.emit("data", Uint8Array.of(3));
  strictEqual(budget.taken, 3);
  incoming.emit("end");
  deepStrictEqual(await body, Uint8Array.of(1, 2, 3));
  strictEqual(budget.taken, 3);
  held[Symbol.dispose]();
  held[Symbol.dispose]();
  strictEqual(budget.taken, 0);
});

Deno.test("a body above the limit holds no more than the limit, and what comes later nothing", async () => {
  const { incoming, budget, held, body } = scene();
  incoming.emit("data", new Uint8Array(MAX_BODY_BYTES));
  incoming.emit("data", Uint8Array.of(1));
  await rejects(body, failsWith(413));
  strictEqual(budget.taken, MAX_BODY_BYTES);
  held[Symbol.dispose]();
  incoming.emit("data", Uint8Array.of(1));
  strictEqual(budget.taken, 0);
});

Deno.test("a body that finds the budget used up is refused", async () => {
  const { incoming, budget, body } = scene();
  budget.take(BUDGET_BYTES);
  incoming.emit("data", Uint8Array.of(1));
  await rejects(body, { code: "resource_exhausted" });
});

Deno.test("a visitor that leaves ends it", async () => {
  const { incoming, body } = scene();
  incoming.emit("close");
  await rejects(body, { code: "canceled" });
});

Deno.test("a body that trickles is refused after 30 s", async () => {
  const clock = FakeTimers.install({ toFake: ["setTimeout", "clearTimeout"] });
  try {
    const { incoming, body } = scene();
    clock.tick(29_999);
    incoming.emit("data", Uint8Array.of(1));
    clock.tick(1);
    await rejects(body, failsWith(408));
    strictEqual(clock.countTimers(), 0);
  } finally {
    clock.uninstall();
  }
});
