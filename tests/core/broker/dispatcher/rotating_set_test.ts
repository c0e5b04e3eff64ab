/** Tests of the set that can be sampled. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { RotatingSet } from "../../../../core/broker/dispatcher/rotating_set.ts";

const ALL = { take: 100, skip: 100 };

Deno.test("RotatingSet.sample() begins where the last one stopped", () => {
  const set = new RotatingSet<number>();
  for (const member of [1, 2, 3, 4, 5]) set.add(member);
  assert.deepEqual(set.sample({ take: 2, skip: 0 }, () => "take"), [1, 2]);
  assert.deepEqual(set.sample({ take: 2, skip: 0 }, () => "take"), [3, 4]);
  assert.deepEqual(set.sample({ take: 2, skip: 0 }, () => "take"), [5, 1]);
});

Deno.test("RotatingSet.sample() stops when it has passed over enough", () => {
  const set = new RotatingSet<number>();
  for (let member = 0; member < 1_000; member++) set.add(member);
  let judged = 0;
  assert.deepEqual(set.sample({ take: 8, skip: 8 }, () => (judged++, "skip")), []);
  assert.equal(judged, 9);
});

Deno.test("RotatingSet.sample() judges each member once, wherever it begins and whatever is dropped", () => {
  const set = new RotatingSet<number>();
  for (const member of [1, 2, 3, 4]) set.add(member);
  set.sample({ take: 2, skip: 0 }, () => "take");
  const judged: number[] = [];
  set.sample(ALL, (member) => (judged.push(member), member === 1 ? "drop" : "take"));
  assert.deepEqual(judged, [3, 4, 1, 2]);
});

Deno.test("RotatingSet.sample() removes what is dropped", () => {
  const set = new RotatingSet<number>();
  for (const member of [1, 2, 3, 4]) set.add(member);
  set.sample(ALL, (member) => member % 2 === 0 ? "drop" : "skip");
  assert.deepEqual(set.sample(ALL, () => "take").sort(), [1, 3]);
});

Deno.test("RotatingSet holds what was added and not deleted, each once", () => {
  const operation = fc.record({ member: fc.nat(9), add: fc.boolean(), sample: fc.boolean() });
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
      const set = new RotatingSet<number>();
      const model = new Set<number>();
      for (const { member, add, sample } of operations) {
        if (add) set.add(member), model.add(member);
        else set.delete(member), model.delete(member);
        if (sample) set.sample({ take: 3, skip: 0 }, () => "take");
        assert.deepEqual(set.sample(ALL, () => "take").sort(), [...model].sort());
        assert.equal(set.size, model.size);
      }
    }),
    { numRuns: 50 },
  );
});
