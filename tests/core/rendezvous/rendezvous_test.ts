import { deepEqual, equal } from "node:assert/strict";
import fc from "fast-check";
import { silent } from "../../../core/log.ts";
import { DEFAULT_BRIDGES } from "../../../core/rendezvous/bridge_list.ts";
import type { Leave } from "../../../core/rendezvous/matcher.ts";
import { Rendezvous, type RendezvousReply } from "../../../core/rendezvous/rendezvous.ts";

const SHARE = 2;

class Scene {
  now = 0;
  readonly rendezvous: Rendezvous;

  constructor({ maxPolls = 100, allowedRelayPattern = "", defaultRelayPattern = "" } = {}) {
    this.rendezvous = new Rendezvous({
      bridges: DEFAULT_BRIDGES,
      ...{ allowedRelayPattern, defaultRelayPattern, maxPolls, logger: silent },
      pollsPerAddress: SHARE,
      now: () => this.now,
    });
  }

  poll(sid: string, address: string, fields: Record<string, unknown> = {}) {
    const replies: RendezvousReply[] = [];
    const body = JSON.stringify({ Sid: sid, Version: "1.3", NAT: "unrestricted", ...fields });
    const leave = this.rendezvous.poll(body, { address, share: address }, (reply) => replies.push(reply));
    return { replies, leave };
  }

  offer(fields: Record<string, unknown> = {}) {
    const replies: RendezvousReply[] = [];
    const body = `1.0\n${JSON.stringify({ offer: "o", ...fields })}`;
    const leave = this.rendezvous.offer(body, "", (reply) => replies.push(reply));
    return { replies, leave };
  }

  pass(ms: number) {
    this.now += ms;
    this.rendezvous.expire();
  }
}

const statuses = (replies: readonly RendezvousReply[]) =>
  replies.map(({ status, body }) => body === "" ? `${status}` : JSON.parse(body).Status);

Deno.test("Rendezvous refuses polls of an address above its share, which a match, the end or a hang-up gives back", () => {
  const scene = new Scene();
  const [first, second] = [scene.poll("a", "one"), scene.poll("b", "one")];
  deepEqual(scene.poll("c", "one").replies, [{ status: 429, body: "" }]);
  deepEqual(scene.poll("d", "other").replies, []);
  scene.offer(); // takes the first
  deepEqual(statuses(first.replies), ["client match"]);
  deepEqual(scene.poll("e", "one").replies, []);
  second.leave();
  second.leave();
  deepEqual(scene.poll("f", "one").replies, []);
  deepEqual(statuses(scene.poll("g", "one").replies), ["429"]);
  scene.pass(10_000);
  deepEqual(scene.poll("h", "one").replies, []);
  deepEqual(scene.poll("i", "one").replies, []);
  deepEqual(statuses(scene.poll("j", "one").replies), ["429"]);
});

Deno.test("Rendezvous lets a poll take the place of one with its Sid even when its address has no share left", () => {
  const scene = new Scene();
  const [first] = [scene.poll("a", "one"), scene.poll("b", "one")];
  const again = scene.poll("a", "one");
  deepEqual(statuses(first.replies), ["no match"]);
  deepEqual(again.replies, []);
  deepEqual(statuses(scene.poll("c", "one").replies), ["429"]);
});

Deno.test("Rendezvous answers 503 when too many polls wait, and takes no share for that", () => {
  const scene = new Scene({ maxPolls: 1 });
  const held = scene.poll("a", "one");
  for (let i = 0; i < 5; i++) deepEqual(statuses(scene.poll(`b${i}`, "two").replies), ["503"]);
  held.leave();
  deepEqual(scene.poll("c", "two").replies, []);
});

Deno.test("Rendezvous gives each share back, whatever happens", () => {
  const addresses = ["one", "two"] as const;
  const step = fc.oneof(
    fc.record({
      kind: fc.constant("poll" as const),
      sid: fc.nat(4),
      address: fc.constantFrom(...addresses),
      fields: fc.constantFrom({}, { NAT: "restricted" }, { NAT: "bad" }, { AcceptedRelayPattern: "^" }),
    }),
    fc.record({ kind: fc.constant("offer" as const), nat: fc.constantFrom("restricted", "unrestricted") }),
    fc.record({ kind: fc.constant("answer" as const), sid: fc.nat(4) }),
    fc.record({ kind: fc.constant("leave" as const), who: fc.nat(30) }),
    fc.record({ kind: fc.constant("pass" as const), ms: fc.nat(6_000) }),
  );
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const scene = new Scene({ maxPolls: 3 });
    const leaves: Leave[] = [];
    for (const step of steps) {
      if (step.kind === "poll") leaves.push(scene.poll(`${step.sid}`, step.address, step.fields).leave);
      else if (step.kind === "offer") leaves.push(scene.offer({ nat: step.nat }).leave);
      else if (step.kind === "leave") leaves[step.who]?.();
      else if (step.kind === "pass") scene.pass(step.ms);
      else {scene.rendezvous.answer(
          JSON.stringify({ Version: "1.0", Sid: `${step.sid}`, Answer: "a" }),
          () => {},
        );}
    }
    scene.pass(10_000);
    for (const address of addresses) {
      const held = [1, 2].map((i) => scene.poll(`${address}${i}`, address));
      deepEqual(statuses(scene.poll(`${address}3`, address).replies), ["429"], "more than the share");
      for (const { replies, leave } of held) {
        deepEqual(replies, [], "less than the share");
        leave();
      }
    }
  }));
});

Deno.test("Rendezvous judges a proxy without a pattern by the default one", () => {
  const options = { allowedRelayPattern: "relay.example$", defaultRelayPattern: "example$" };
  const rejected = ["incorrect relay pattern"];
  const table: [pattern: string | undefined, defaultPattern: string, replies: string[]][] = [
    [undefined, "example$", []],
    [undefined, "other$", rejected],
    ["", "other$", []],
    ["other$", "", rejected],
  ];
  for (const [AcceptedRelayPattern, defaultRelayPattern, expected] of table) {
    const scene = new Scene({ ...options, defaultRelayPattern });
    const { replies } = scene.poll("a", "one", { AcceptedRelayPattern });
    deepEqual(statuses(replies), expected, `${AcceptedRelayPattern}, ${defaultRelayPattern}`);
  }
});

Deno.test("Rendezvous tells clients of a bridge that is not in the list, in every form", () => {
  const fingerprint = "a".repeat(40);
  const error = `{"error":"unknown bridge fingerprint"}`;
  const scene = new Scene();
  scene.poll("a", "one");
  deepEqual(scene.offer({ fingerprint }).replies, [{ status: 200, body: error }]);
  const message = new TextEncoder().encode(`1.0\n${JSON.stringify({ offer: "o", fingerprint })}`);
  const pages: RendezvousReply[] = [];
  const path = `0/${message.toBase64({ alphabet: "base64url", omitPadding: true })}`;
  scene.rendezvous.ampOffer(path, (reply) => pages.push(reply));
  const [, payload] = /<pre>([^<]*)<\/pre>/.exec(pages[0]!.body)!;
  equal(atob(payload!.replace(/\s/g, "").slice(1)), error);
  const legacy: RendezvousReply[] = [];
  const empty = new Rendezvous({
    bridges: new Map(),
    ...{ allowedRelayPattern: "", defaultRelayPattern: "", maxPolls: 1, pollsPerAddress: 1 },
    ...{ logger: silent, now: () => 0 },
  });
  empty.offer("{}", "", (reply) => legacy.push(reply));
  deepEqual(legacy, [{ status: 400, body: "" }]);
  deepEqual([...scene.rendezvous.counts.clientEnds], [], "neither matched nor denied");
});

Deno.test("Rendezvous counts polls and offers by how they end; a timeout of a client is neither", () => {
  const scene = new Scene();
  const { counts } = scene.rendezvous;
  scene.offer({ nat: "restricted" });
  scene.poll("a", "one", { AcceptedRelayPattern: "" });
  scene.offer({ nat: "restricted" });
  scene.pass(10_000);
  deepEqual([...counts.clientEnds], [["restricted,denied", 1]]);
  deepEqual([...counts.proxyEnds], [["unrestricted,matched", 1]]);
  scene.poll("b", "one");
  scene.offer();
  scene.rendezvous.answer(JSON.stringify({ Version: "1.3", Sid: "b", Answer: "a" }), () => {});
  scene.poll("c", "one");
  scene.pass(10_000);
  scene.poll("d", "one", { AcceptedRelayPattern: "^" });
  deepEqual([...counts.clientEnds], [["restricted,denied", 1], ["unknown,matched", 1]]);
  deepEqual([...counts.proxyEnds], [["unrestricted,matched", 2], ["unrestricted,idle", 1]]);
  deepEqual([...counts.withRelay], [["unrestricted,unknown", 2]]);
  deepEqual([...counts.withoutRelay], [["unrestricted,unknown", 2]]);
  deepEqual([...counts.rejected], [["unrestricted,unknown", 1]]);
});
