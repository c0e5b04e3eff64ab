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
  throws(() => first.write(new Uint8Array(1)), { code: "data_loss" });
  throws(() => second.write(new Uint8Array(3)), { code: "data_loss" });
  deepStrictEqual([first.failure?.code, second.failure?.code], ["out_of_range", "resource_exhausted"]);
  strictEqual(budget.taken, 8);
  first.release();
  second.release();
  strictEqual(budget.taken, 0);
});

Deno.test("CollectedOutput takes nothing any more when something is missing", () => {
  const output = new CollectedOutput(8, new MemoryBudget(10));
  throws(() => output.write(new Uint8Array(9)), { code: "data_loss" });
  throws(() => output.write(new Uint8Array(1)), { code: "data_loss" });
  strictEqual(output.bytes.length, 0);
});
