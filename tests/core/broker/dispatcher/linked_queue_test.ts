/** Tests of the queue whose members carry the links. */

import assert from "node:assert/strict";
import fc from "fast-check";
import { type Linked, LinkedQueue } from "../../../../core/broker/dispatcher/linked_queue.ts";

interface Member extends Linked<Member> {
  readonly name: number;
}

Deno.test("LinkedQueue keeps the order when members leave from anywhere", () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.nat(9)), { maxLength: 40 }), (operations) => {
      const queue = new LinkedQueue<Member>();
      const model: Member[] = [];
      for (const leave of operations) {
        if (leave === null) {
          const member: Member = { name: model.length, previous: null, next: null };
          queue.push(member);
          model.push(member);
        } else if (leave < model.length) {
          queue.remove(model.splice(leave, 1)[0]!);
        }
        const seen: Member[] = [];
        for (let member = queue.first; member !== null; member = member.next) seen.push(member);
        assert.ok(seen.length === model.length && seen.every((member, index) => member === model[index]));
      }
    }),
    { numRuns: 50 },
  );
});
