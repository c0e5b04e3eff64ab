import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { CollectedOutput } from "../../../core/broker/collected_output.ts";
import { MemoryBudget } from "../../../core/broker/memory_budget.ts";

Deno.test("CollectedOutput keeps copies of what is written, in order", () => {
  const output = new CollectedOutput(1_000, new MemoryBudget(1_000));
  const chunk = Uint8Array.of(1, 2, 3);
  output.write(chunk);
  chunk.fill(9);
  output.write(new Uint8Array(300).fill(7));
  deepStrictEqual([...output.bytes.subarray(0, 4), output.bytes.length], [1, 2, 3, 7, 303]);
});

Deno.test("CollectedOutput takes no more than its limit, and no more than all of them together", () => {
  const budget = new MemoryBudget(10);
  const first = new CollectedOutput(8, budget);
  const second = new CollectedOutput(8, budget);
  first.write(new Uint8Array(8));
  throws(() => first.write(new Uint8Array(1)), { code: "out_of_range" });
  throws(() => second.write(new Uint8Array(3)), { code: "resource_exhausted" });
  second.write(new Uint8Array(2));
  strictEqual(budget.taken, 10);
  first.release();
  second.release();
  strictEqual(budget.taken, 0);
});
