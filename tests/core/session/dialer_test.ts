import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { WasimoffError } from "../../../core/errors.ts";
import { silent } from "../../../core/log.ts";
import { SessionAcceptor } from "../../../core/session/acceptor.ts";
import type { Connection } from "../../../core/session/connection.ts";
import { openSession } from "../../../core/session/dialer.ts";
import { encodeFrame, FRAME_MESSAGE } from "../../../core/session/frame.ts";
import type { Session } from "../../../core/session/session.ts";
import { type MemoryPipe, memoryPipe } from "../../../core/transport/memory.ts";
import { fakeClock } from "../../support/session_pair.ts";
import { settle } from "../../support/settle.ts";

const DONE = new WasimoffError("canceled", "done");
const DOWN = new WasimoffError("unavailable", "connection was refused");
const never = new AbortController().signal;

/** A broker that can be down, deaf, restarted or strict, and the times at which it was dialed. */
class Setup implements Disposable {
  acceptor = new SessionAcceptor({ agent: "broker", capabilities: [], logger: silent });
  readonly accepted: Session[] = [];
  readonly dials: number[] = [];
  readonly pipes: MemoryPipe[] = [];
  mode: "up" | "down" | "deaf" | "strict" | "breaking" = "up";
  readonly sessions: Session[] = [];
  failure = DOWN;
  readonly #start = performance.now();

  readonly dial = (signal: AbortSignal): Promise<Connection> => {
    this.dials.push(Math.round(performance.now() - this.#start));
    if (signal.aborted) return Promise.reject(signal.reason);
    if (this.mode === "down") return Promise.reject(this.failure);
    const pipe = memoryPipe();
    this.pipes.push(pipe);
    if (this.mode !== "deaf") this.#accept(pipe);
    return Promise.resolve(pipe.a);
  };

  async open(signal = never, token = ""): Promise<Session> {
    const { dial } = this;
    const session = await openSession({ dial, token, agent: "test", logger: silent, signal });
    this.sessions.push(session);
    return session;
  }

  #accept(pipe: MemoryPipe): void {
    void this.acceptor.accept(pipe.b, {
      endpoint: "client",
      leaseMs: 10_000,
      peer: null,
      authenticate: () => {
        if (this.mode === "strict") throw new WasimoffError("unauthenticated", "token is not known here");
      },
      opened: (session) => void this.accepted.push(session),
    }).then(() => this.mode === "breaking" && pipe.cut());
  }

  get pipe(): MemoryPipe {
    return this.pipes.at(-1)!;
  }

  [Symbol.dispose](): void {
    for (const session of this.sessions) session.close(DONE);
    this.acceptor.close(DONE);
  }
}

Deno.test("openSession() opens a session whose messages arrive", async () => {
  using setup = new Setup();
  const session = await setup.open();
  const heard: number[] = [];
  setup.accepted[0]!.receiveMessages((body) => heard.push(body[0]!));
  session.send(Uint8Array.of(7));
  await settle();
  deepEqual([heard, session.connected, setup.dials.length], [[7], true, 1]);
});

Deno.test("openSession() rejects with what the dial or the broker says, in one attempt", async () => {
  using setup = new Setup();
  setup.mode = "down";
  await rejects(setup.open(), DOWN);
  setup.mode = "strict";
  await rejects(setup.open(), { code: "unauthenticated", message: "token is not known here" });
  equal(setup.dials.length, 2);
});

Deno.test("openSession() refuses a token that does not fit into a hello and closes the connection", async () => {
  using setup = new Setup();
  setup.mode = "deaf";
  await rejects(setup.open(never, "t".repeat(20_000)), { code: "invalid_argument" });
  let closed = "";
  setup.pipe.b.start({ onFrame: () => {}, onDrain: () => {}, onClose: ({ code }) => closed = code });
  await settle();
  equal(closed, "invalid_argument");
});

Deno.test("openSession() gives up on a broker that is silent for 5 s, answers nonsense, or when told so", async () => {
  using clock = fakeClock();
  using setup = new Setup();
  setup.mode = "deaf";
  const late = rejects(setup.open(), { code: "deadline_exceeded" });
  await clock.tick(5_000);
  await late;
  const odd = rejects(setup.open(), { code: "invalid_argument" });
  await clock.tick(0);
  setup.pipe.b.send(encodeFrame({ type: FRAME_MESSAGE, body: Uint8Array.of(1) }));
  await clock.tick(0);
  await odd;
  const controller = new AbortController();
  const told = rejects(setup.open(controller.signal), { code: "canceled" });
  await clock.tick(0);
  controller.abort(DONE);
  await clock.tick(0);
  await told;
});

Deno.test("a lost connection is replaced, after a short wait, and nothing is lost", async () => {
  using clock = fakeClock();
  using setup = new Setup();
  const session = await setup.open();
  const heard: number[] = [];
  setup.accepted[0]!.receiveMessages((body) => heard.push(body[0]!));
  setup.pipe.cut();
  session.send(Uint8Array.of(1));
  await clock.tick(51);
  session.send(Uint8Array.of(2));
  await clock.tick(0);
  deepEqual([heard, setup.dials.length, setup.accepted.length, session.connected], [[1, 2], 2, 1, true]);
  await clock.tick(60_000);
  setup.pipe.cut();
  await clock.tick(0);
  deepEqual([setup.dials.length, session.connected], [3, true], "one that lasted is replaced at once");
});

Deno.test("a broker that is away is dialed with growing waits while the lease lasts, then no more", async () => {
  using clock = fakeClock();
  using setup = new Setup();
  const session = await setup.open();
  await clock.tick(5_000);
  setup.mode = "down";
  setup.pipe.cut();
  await clock.tick(9_999);
  equal(session.signal.aborted, false);
  const waits = setup.dials.slice(2).map((at, i) => at - setup.dials[i + 1]!);
  ok(waits.length >= 8 && waits.length <= 14, `${waits}`);
  for (const [i, wait] of waits.entries()) {
    const ceiling = Math.min(2_000, 50 * 2 ** i);
    ok(wait >= ceiling / 2 - 1 && wait <= ceiling + 1, `wait ${i} of ${wait} ms`);
  }
  await clock.tick(1);
  equal(session.signal.reason.message, "peer has been away for 10 s");
  const dials = setup.dials.length;
  await clock.tick(60_000);
  equal(setup.dials.length, dials);
});

Deno.test("a broker that does not know the session any more ends it at once", async () => {
  using clock = fakeClock();
  using setup = new Setup();
  const session = await setup.open();
  const old = setup.acceptor;
  setup.acceptor = new SessionAcceptor({ agent: "broker", capabilities: [], logger: silent });
  setup.pipe.cut();
  await clock.tick(60);
  deepEqual([session.signal.reason.code, setup.dials.length], ["unavailable", 2]);
  ok(session.signal.reason.message.startsWith("session is unknown"));
  old.close(DONE);
});

Deno.test("an error of the dial is never final, whatever its code", async () => {
  using clock = fakeClock();
  using setup = new Setup();
  const session = await setup.open();
  setup.mode = "down";
  setup.failure = new WasimoffError("not_found", "no such path on this host");
  setup.pipe.cut();
  await clock.tick(2_000);
  setup.mode = "up";
  await clock.tick(2_000);
  deepEqual([session.signal.aborted, session.connected], [false, true]);
});

Deno.test("connections that break at once are not replaced in a tight loop", async () => {
  using clock = fakeClock();
  using setup = new Setup();
  await setup.open();
  setup.mode = "breaking";
  setup.pipe.cut();
  await clock.tick(20_000);
  ok(setup.dials.length > 10 && setup.dials.length < 30, `${setup.dials.length} dials`);
});

Deno.test("a session that is closed while it redials or greets leaves no connection and no timer", async () => {
  for (const mode of ["down", "deaf"] as const) {
    using clock = fakeClock();
    using setup = new Setup();
    const session = await setup.open();
    setup.mode = mode;
    setup.pipe.cut();
    await clock.tick(300);
    session.close(DONE);
    await clock.tick(0);
    const dials = setup.dials.length;
    if (mode === "deaf") {
      let closed = "";
      setup.pipe.b.start({ onFrame: () => {}, onDrain: () => {}, onClose: ({ code }) => closed = code });
      await clock.tick(0);
      equal(closed, "canceled");
    }
    await clock.tick(60_000);
    equal(setup.dials.length, dials);
  }
});

Deno.test("another watcher of the session does not stop the redialing", async () => {
  using clock = fakeClock();
  using setup = new Setup();
  const session = await setup.open();
  session.watch({ detached: () => {} });
  setup.pipe.cut();
  await clock.tick(60);
  equal(session.connected, true);
});
