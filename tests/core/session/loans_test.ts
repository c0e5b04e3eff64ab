import { deepEqual } from "node:assert/strict";
import { Loans } from "../../../core/session/loans.ts";

function fixture() {
  const done: number[] = [];
  const loans = new Loans();
  for (const number of [1, 3, 4]) loans.add(number, number * 100, () => done.push(number));
  return { loans, done };
}

Deno.test("Loans end once, when their frame is acknowledged", () => {
  const { loans, done } = fixture();
  for (const received of [0, 2, 2, 3, 9, 9]) loans.acknowledged(received, 400);
  deepEqual(done, [1, 3, 4]);
});

Deno.test("Loans never end of what is acknowledged before it is written, nor after the connection", () => {
  const { loans, done } = fixture();
  loans.acknowledged(3, 299);
  loans.acknowledged(3, 400);
  deepEqual(done, [1]);
  loans.clear();
  loans.acknowledged(4, 400);
  deepEqual(done, [1]);
});
