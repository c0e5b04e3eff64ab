import { deepEqual, equal, notEqual } from "node:assert/strict";
import fc from "fast-check";
import type { OfferEnd } from "../../../core/rendezvous/client_messages.ts";
import {
  ANSWER_TIMEOUT_MS,
  Matcher,
  POLL_TIMEOUT_MS,
  type PollEnd,
} from "../../../core/rendezvous/matcher.ts";
import { type Nat, NATS } from "../../../core/rendezvous/nat.ts";

/** A matcher with a clock that tests turn, and what everybody was told. */
class Scene {
  now = 0;
  readonly matcher = new Matcher({ now: () => this.now, maxPolls: 8 });
  readonly polls = new Map<string, PollEnd[]>();
  readonly offers = new Map<string, OfferEnd[]>();

  poll(sid: string, nat: Nat = "unrestricted", clients = 0) {
    const ends = this.polls.get(sid) ?? [];
    this.polls.set(sid, ends);
    const poll = { sid, nat, clients, type: "standalone", relayPattern: "" } as const;
    return this.matcher.poll(poll, (end) => void ends.push(end));
  }

  offer(offer: string, nat: Nat = "unknown") {
    const ends: OfferEnd[] = [];
    this.offers.set(offer, ends);
    return this.matcher.offer({ offer, nat, fingerprint: "" }, "wss://relay/", (end) => void ends.push(end));
  }

  pass(ms: number) {
    this.now += ms;
    this.matcher.expire();
  }
}

const match = (offer: string, nat: Nat = "unknown") => ({ offer, nat, relayUrl: "wss://relay/" });

Deno.test("Matcher hands an offer to a waiting proxy and the answer to the client", () => {
  const scene = new Scene();
  scene.poll("a");
  scene.offer("hello");
  deepEqual(scene.polls.get("a"), [match("hello")]);
  deepEqual(scene.offers.get("hello"), []);
  equal(scene.matcher.answer("a", "hi"), true);
  deepEqual(scene.offers.get("hello"), [{ answer: "hi" }]);
  equal(scene.matcher.answer("a", "again"), false);
  scene.pass(60_000);
  deepEqual(scene.offers.get("hello"), [{ answer: "hi" }]);
});

Deno.test("Matcher denies a client at once when no proxy waits that it can reach", () => {
  const table: [client: Nat, proxy: Nat, matched: boolean][] = [
    ["unrestricted", "restricted", true],
    ["unrestricted", "unknown", true],
    ["unrestricted", "unrestricted", true],
    ["restricted", "unrestricted", true],
    ["restricted", "restricted", false],
    ["restricted", "unknown", false],
    ["unknown", "unrestricted", true],
    ["unknown", "restricted", false],
    ["unknown", "unknown", false],
  ];
  for (const [client, proxy, matched] of table) {
    const scene = new Scene();
    scene.poll("a", proxy);
    scene.offer("o", client);
    deepEqual(scene.offers.get("o"), matched ? [] : ["denied"], `${client} client, ${proxy} proxy`);
    deepEqual(scene.polls.get("a"), matched ? [match("o", client)] : []);
  }
});

Deno.test("Matcher keeps unrestricted proxies for those who need them", () => {
  const scene = new Scene();
  scene.poll("open", "unrestricted");
  scene.poll("closed", "restricted");
  scene.offer("first", "unrestricted");
  deepEqual(scene.polls.get("closed"), [match("first", "unrestricted")]);
  scene.offer("second", "unrestricted");
  deepEqual(scene.polls.get("open"), [match("second", "unrestricted")]);
});

Deno.test("Matcher takes the proxy with the fewest clients, and the first among equals", () => {
  const scene = new Scene();
  scene.poll("busy", "unrestricted", 16);
  scene.poll("one", "unrestricted", 8);
  scene.poll("two", "unrestricted", 8);
  scene.poll("huge", "unrestricted", 1e15);
  for (const offer of ["1", "2", "3", "4", "5"]) scene.offer(offer);
  deepEqual(scene.polls.get("one"), [match("1")]);
  deepEqual(scene.polls.get("two"), [match("2")]);
  deepEqual(scene.polls.get("busy"), [match("3")]);
  deepEqual(scene.polls.get("huge"), [match("4")]);
  deepEqual(scene.offers.get("5"), ["denied"]);
});

Deno.test("Matcher prefers a proxy with few clients that comes late", () => {
  const scene = new Scene();
  for (const sid of ["busy", "busier"]) scene.poll(sid, "unrestricted", 800);
  scene.offer("1");
  scene.poll("free");
  scene.offer("2");
  deepEqual(scene.polls.get("free"), [match("2")]);
  deepEqual(scene.polls.get("busier"), []);
});

Deno.test("Matcher ends polls and offers when their time is over, not before", () => {
  const scene = new Scene();
  scene.poll("a");
  scene.pass(POLL_TIMEOUT_MS - 1);
  deepEqual(scene.polls.get("a"), []);
  scene.pass(1);
  deepEqual(scene.polls.get("a"), ["no match"]);
  scene.poll("b");
  scene.offer("o");
  scene.pass(ANSWER_TIMEOUT_MS - 1);
  deepEqual(scene.offers.get("o"), []);
  scene.pass(1);
  deepEqual(scene.offers.get("o"), ["timeout"]);
  equal(scene.matcher.answer("b", "late"), false);
});

Deno.test("Matcher never matches a proxy that has hung up", () => {
  const scene = new Scene();
  const leave = scene.poll("a");
  leave!();
  scene.offer("o");
  deepEqual(scene.offers.get("o"), ["denied"]);
  deepEqual(scene.polls.get("a"), []);
  equal(scene.matcher.waiting, 0);
});

Deno.test("Matcher says that a client is gone when it has hung up, and to answers without a match", () => {
  const scene = new Scene();
  scene.poll("a");
  const leave = scene.offer("o");
  leave();
  equal(scene.matcher.answer("a", "x"), false);
  equal(scene.matcher.answer("never seen", "x"), false);
  scene.poll("b");
  equal(scene.matcher.answer("b", "x"), false);
  deepEqual(scene.polls.get("b"), []);
});

Deno.test("Matcher lets a second poll with the same Sid take the place of the first", () => {
  const scene = new Scene();
  const first = scene.poll("a", "restricted");
  scene.poll("a", "unrestricted");
  deepEqual(scene.polls.get("a"), ["no match"]);
  first!(); // hangs up late: the second poll stays
  equal(scene.matcher.waiting, 1);
  scene.offer("o", "restricted");
  deepEqual(scene.polls.get("a"), ["no match", match("o", "restricted")]);
});

Deno.test("Matcher tells the first client of a proxy that takes a second one without an answer", () => {
  const scene = new Scene();
  scene.poll("a");
  const first = scene.offer("one");
  scene.poll("a");
  scene.offer("two");
  deepEqual(scene.offers.get("one"), ["timeout"]);
  first(); // hangs up late: the second one stays
  equal(scene.matcher.answer("a", "x"), true);
  deepEqual(scene.offers.get("two"), [{ answer: "x" }]);
});

Deno.test("Matcher takes no more polls than it may, and replacing one needs no room", () => {
  const scene = new Scene();
  for (let i = 0; i < 8; i++) notEqual(scene.poll(`p${i}`), null);
  equal(scene.poll("one more"), null);
  notEqual(scene.poll("p0"), null);
  equal(scene.matcher.waiting, 8);
});

Deno.test("Matcher shows those who wait and those who are asked for their answer", () => {
  const scene = new Scene();
  scene.poll("a", "unrestricted");
  scene.poll("b", "unknown");
  scene.offer("o");
  deepEqual([...scene.matcher.proxies()].map(({ nat }) => nat), ["unknown", "unrestricted"]);
});

Deno.test("Matcher settles each poll and each offer once at most, whatever happens", () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant("poll" as const), sid: fc.nat(4), nat: fc.constantFrom(...NATS) }),
    fc.record({ kind: fc.constant("offer" as const), nat: fc.constantFrom(...NATS) }),
    fc.record({ kind: fc.constant("answer" as const), sid: fc.nat(4) }),
    fc.record({ kind: fc.constant("leave" as const), who: fc.nat(30) }),
    fc.record({ kind: fc.constant("pass" as const), ms: fc.nat(6_000) }),
  );
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    let now = 0;
    const matcher = new Matcher({ now: () => now, maxPolls: 3 });
    const settled: number[] = [];
    const left = new Set<number>();
    const leaves: (() => void)[] = [];
    const settle = (id: number) => () => {
      equal(left.has(id), false, "settled after it left");
      settled[id]!++;
    };
    for (const step of steps) {
      const id = settled.length;
      if (step.kind === "poll") {
        settled.push(0);
        const poll = {
          sid: `${step.sid}`,
          nat: step.nat,
          clients: 0,
          type: "badge",
          relayPattern: null,
        } as const;
        const leave = matcher.poll(poll, settle(id));
        leaves.push(leave ?? (() => {}));
        if (leave === null) settled[id] = 1;
      } else if (step.kind === "offer") {
        settled.push(0);
        leaves.push(matcher.offer({ offer: "o", nat: step.nat, fingerprint: "" }, "", settle(id)));
      } else if (step.kind === "answer") matcher.answer(`${step.sid}`, "a");
      else if (step.kind === "leave" && step.who < leaves.length) {
        leaves[step.who]!();
        left.add(step.who);
      } else if (step.kind === "pass") {
        now += step.ms;
        matcher.expire();
      }
    }
    now += 60_000;
    matcher.expire();
    equal(matcher.waiting, 0);
    equal([...matcher.proxies()].length, 0);
    for (const [id, times] of settled.entries()) {
      equal(left.has(id) ? Math.min(times, 1) : 1, times, `id ${id}`);
    }
  }));
});
