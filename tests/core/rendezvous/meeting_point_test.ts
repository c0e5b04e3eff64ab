import { deepEqual, equal, notEqual } from "node:assert/strict";
import { MEETING_TIMEOUT_MS, type MeetingEnd, MeetingPoint } from "../../../core/rendezvous/meeting_point.ts";

function scene(maxPeers = 4) {
  let now = 0;
  let lastId = 0;
  const point = new MeetingPoint({ now: () => now, makeId: () => `id${++lastId}`, maxPeers });
  const meet = (name: string, offer: string) => {
    const ends: MeetingEnd[] = [];
    return { ends, leave: point.meet(name, offer, (end) => void ends.push(end)) };
  };
  return { point, meet, pass: (ms: number) => (now += ms, point.expire()) };
}

Deno.test("MeetingPoint gives the first offer to the second peer and its answer to the first", () => {
  const { point, meet } = scene();
  const first = meet("name", "one");
  const second = meet("name", "two");
  deepEqual(second.ends, [{ kind: "offer", offer: "one", id: "id1" }]);
  deepEqual(first.ends, []);
  equal(point.answer("name", "id1", "hi"), true);
  deepEqual(first.ends, [{ kind: "answer", answer: "hi" }]);
  equal(point.answer("name", "id1", "again"), false);
  equal(point.waiting, 0);
});

Deno.test("MeetingPoint keeps names apart, and takes an answer only from who got the offer", () => {
  const { point, meet } = scene();
  const first = meet("a", "one");
  meet("b", "other");
  equal(point.answer("a", "id1", "too early"), false);
  meet("a", "two");
  equal(point.answer("b", "id1", "wrong name"), false);
  equal(point.answer("a", "id2", "wrong id"), false);
  deepEqual(first.ends, []);
});

Deno.test("MeetingPoint lets a third peer begin anew under the same name", () => {
  const { point, meet } = scene();
  const first = meet("n", "one");
  meet("n", "two");
  const third = meet("n", "three");
  deepEqual(third.ends, []);
  deepEqual(meet("n", "four").ends, [{ kind: "offer", offer: "three", id: "id2" }]);
  equal(point.answer("n", "id1", "a"), true);
  deepEqual(first.ends, [{ kind: "answer", answer: "a" }]);
});

Deno.test("MeetingPoint tells after its time that nobody came, and forgets who hung up", () => {
  const { point, meet, pass } = scene();
  const first = meet("n", "one");
  pass(MEETING_TIMEOUT_MS - 1);
  deepEqual(first.ends, []);
  pass(1);
  deepEqual(first.ends, [{ kind: "nobody" }]);
  const gone = meet("n", "two");
  gone.leave!();
  deepEqual(meet("n", "three").ends, []);
  deepEqual(gone.ends, []);
  equal(point.waiting, 1);
});

Deno.test("MeetingPoint holds no more peers than it may", () => {
  const { meet } = scene(2);
  notEqual(meet("a", "1").leave, null);
  notEqual(meet("b", "1").leave, null);
  equal(meet("c", "1").leave, null);
  notEqual(meet("a", "2").leave, null, "one that comes second needs no place");
});
