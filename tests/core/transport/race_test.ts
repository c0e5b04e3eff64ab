import { deepEqual, equal, rejects } from "node:assert/strict";
import { WasimoffError } from "../../../core/errors.ts";
import { race } from "../../../core/transport/race.ts";
import { fakeClock } from "../../support/session_pair.ts";

const DOWN = new WasimoffError("unavailable", "connection was refused");
const BLOCKED = new WasimoffError("unavailable", "nothing came back");

/** Legs whose ends a test decides, the times at which they began, and what was discarded. */
class Legs {
  readonly began: Record<string, number> = {};
  readonly aborted: string[] = [];
  readonly discarded: string[] = [];
  readonly #ends: Record<string, PromiseWithResolvers<string>> = {};
  readonly #start = performance.now();
  readonly #stop = new AbortController();

  leg(name: string, delayMs = 0) {
    const end = this.#ends[name] = Promise.withResolvers<string>();
    const open = (signal: AbortSignal) => {
      this.began[name] = performance.now() - this.#start;
      signal.addEventListener("abort", () => this.aborted.push(name));
      return end.promise;
    };
    return { delayMs, open };
  }

  run(...legs: ReturnType<Legs["leg"]>[]): Promise<string> {
    return race(legs, { discard: (late) => this.discarded.push(late), signal: this.#stop.signal });
  }

  opens(name: string): void {
    this.#ends[name]!.resolve(name);
  }

  fails(name: string, error: WasimoffError): void {
    this.#ends[name]!.reject(error);
  }

  abort(reason: unknown): void {
    this.#stop.abort(reason);
  }
}

Deno.test("race() takes the first that works, aborts the other and discards what it still brings", async () => {
  using clock = fakeClock();
  const legs = new Legs();
  const winner = legs.run(legs.leg("udp"), legs.leg("tcp"));
  deepEqual(legs.began, { udp: 0, tcp: 0 });
  await clock.tick(30);
  legs.opens("tcp");
  equal(await winner, "tcp");
  deepEqual([legs.aborted, legs.discarded], [["udp"], []]);
  legs.opens("udp");
  await clock.tick(0);
  deepEqual(legs.discarded, ["udp"]);
});

Deno.test("race() is not held up by a way that never answers, or by one that fails", async () => {
  using clock = fakeClock();
  const silent = new Legs();
  const first = silent.run(silent.leg("udp"), silent.leg("tcp"));
  await clock.tick(1);
  silent.opens("tcp");
  equal(await first, "tcp");
  const broken = new Legs();
  const second = broken.run(broken.leg("tcp"), broken.leg("udp"));
  broken.fails("tcp", DOWN);
  await clock.tick(500);
  broken.opens("udp");
  equal(await second, "udp");
});

Deno.test("race() lets the others begin after their delay, or when all before them have failed", async () => {
  using clock = fakeClock();
  const late = new Legs();
  const first = late.run(late.leg("tcp", 200), late.leg("udp"));
  await clock.tick(199);
  deepEqual(late.began, { udp: 0 });
  await clock.tick(1);
  deepEqual(late.began, { udp: 0, tcp: 200 });
  late.opens("tcp");
  equal(await first, "tcp");

  const soon = new Legs();
  const second = soon.run(soon.leg("tcp", 200), soon.leg("udp"));
  await clock.tick(10);
  soon.fails("udp", BLOCKED);
  await clock.tick(0);
  deepEqual(soon.began, { udp: 0, tcp: 10 });
  soon.opens("tcp");
  equal(await second, "tcp");
});

Deno.test("race() does not begin what the winner made unnecessary", async () => {
  using clock = fakeClock();
  const legs = new Legs();
  const winner = legs.run(legs.leg("tcp"), legs.leg("udp", 200));
  legs.opens("tcp");
  equal(await winner, "tcp");
  await clock.tick(1_000);
  deepEqual(legs.began, { tcp: 0 });
});

Deno.test("race() rejects with every error, in the order of the legs, when none works", async () => {
  using clock = fakeClock();
  const legs = new Legs();
  const lost = rejects(legs.run(legs.leg("tcp"), legs.leg("udp", 200)), (error) => {
    deepEqual((error as AggregateError).errors, [DOWN, BLOCKED]);
    return true;
  });
  legs.fails("tcp", DOWN);
  legs.fails("udp", BLOCKED);
  await clock.tick(0);
  await lost;
});

Deno.test("race() ends with its signal at once, and what comes later is discarded", async () => {
  using clock = fakeClock();
  const legs = new Legs();
  const lost = rejects(legs.run(legs.leg("tcp"), legs.leg("udp", 200)), DOWN);
  await clock.tick(1);
  legs.abort(DOWN);
  await lost;
  legs.opens("tcp");
  await clock.tick(1_000);
  deepEqual([legs.discarded, legs.aborted, legs.began], [["tcp"], ["tcp"], { tcp: 0 }]);
  await rejects(legs.run(legs.leg("again")), DOWN);
});
