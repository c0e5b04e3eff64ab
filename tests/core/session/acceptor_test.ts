import { deepEqual, equal, ok } from "node:assert/strict";
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { codeFromNumber, WasimoffError } from "../../../core/errors.ts";
import { silent } from "../../../core/log.ts";
import {
  HelloSchema,
  RefusalSchema,
  type Welcome,
  WelcomeSchema,
} from "../../../core/protocol/gen/wasimoff/v2/wasimoff_pb.ts";
import { MAX_HELLO_BYTES, MAX_SESSIONS, MAX_SESSIONS_PER_PEER } from "../../../core/protocol/limits.ts";
import { type AcceptOptions, SessionAcceptor } from "../../../core/session/acceptor.ts";
import {
  encodeFrame,
  FRAME_GOODBYE,
  FRAME_HELLO,
  FRAME_MESSAGE,
  FRAME_REFUSAL,
  FRAME_WELCOME,
} from "../../../core/session/frame.ts";
import type { Session } from "../../../core/session/session.ts";
import { memoryPipe } from "../../../core/transport/memory.ts";
import { fakeClock, RawPeer, settleGoodbye } from "../../support/session_pair.ts";
import { settle } from "../../support/settle.ts";

const one = Uint8Array.of(1);

function broker(maxSessions = MAX_SESSIONS, maxSessionsPerPeer = MAX_SESSIONS_PER_PEER) {
  const acceptor = new SessionAcceptor({
    agent: "broker/1",
    capabilities: ["x"],
    logger: silent,
    maxSessions,
    maxSessionsPerPeer,
  });
  const sessions: Session[] = [];
  /** Options of one connection, made anew for each as a broker does. */
  const options = (endpoint: string, leaseMs: number, from: string | null): AcceptOptions => ({
    endpoint,
    leaseMs,
    peer: from,
    authenticate: ({ token }) => {
      if (token === "bad") throw new WasimoffError("unauthenticated", "token is not known here");
    },
    opened: (session, { agent }) => {
      if (agent === "unlucky") throw new WasimoffError("resource_exhausted", "no room for you");
      session.receiveMessages(() => {});
      sessions.push(session);
    },
  });
  const connect = (endpoint = "provider", leaseMs = 10_000, from: string | null = null) => {
    const pipe = memoryPipe();
    const peer = new RawPeer(pipe.b);
    void acceptor.accept(pipe.a, options(endpoint, leaseMs, from));
    return { peer, pipe };
  };
  const close = () => acceptor.close(new WasimoffError("unavailable", "broker leaves"));
  return { acceptor, sessions, connect, close, [Symbol.dispose]: close };
}

const hello = (fields: MessageInitShape<typeof HelloSchema>): Uint8Array =>
  encodeFrame({
    type: FRAME_HELLO,
    body: toBinary(HelloSchema, create(HelloSchema, { version: 2, ...fields })),
  });

function welcomed(peer: RawPeer): Welcome {
  return fromBinary(WelcomeSchema, peer.of(FRAME_WELCOME)[0]!.body);
}

/** The code and message of the refusal, after which the connection must be closed with the same code. */
function refused(peer: RawPeer): string {
  const { code, message } = fromBinary(RefusalSchema, peer.of(FRAME_REFUSAL)[0]!.body);
  equal(peer.closed?.code, codeFromNumber(code));
  equal(peer.frames.length, 1);
  return `${codeFromNumber(code)}: ${message}`;
}

Deno.test("SessionAcceptor welcomes a hello with an id, a secret and the lease", async () => {
  using setup = broker();
  const { peer } = setup.connect("provider", 7_000);
  peer.sendBytes(hello({ agent: "test" }));
  await settle();
  const { version, agent, capabilities, session, secret, received, leaseMs } = welcomed(peer);
  deepEqual([version, agent, capabilities, received, leaseMs], [2, "broker/1", ["x"], 0n, 7_000]);
  deepEqual([session.length, secret.length, setup.acceptor.size], [16, 32, 1]);
  deepEqual([setup.sessions.length, setup.sessions[0]!.connected], [1, true]);
});

const REFUSALS: Record<string, [Uint8Array, string]> = {
  "a hello of another version": [
    hello({ version: 3 }),
    "unimplemented: version 3 is not spoken here: use 2",
  ],
  "a token that authenticate() does not take": [
    hello({ token: "bad" }),
    "unauthenticated: token is not known here",
  ],
  "a hello above 16 KiB": [
    hello({ agent: "x".repeat(MAX_HELLO_BYTES) }),
    "out_of_range: hello is too long",
  ],
  "a hello that cannot be decoded": [
    Uint8Array.of(FRAME_HELLO, 0xff),
    "invalid_argument: hello cannot be decoded",
  ],
  "a hello of 16,000 nested groups": [
    new Uint8Array(16_000).fill(0x7b).with(0, FRAME_HELLO),
    "invalid_argument: hello cannot be decoded",
  ],
  "a first frame that is no hello": [
    encodeFrame({ type: FRAME_MESSAGE, body: one }),
    "invalid_argument: expected a hello",
  ],
  "a first frame that is none": [
    Uint8Array.of(0x77),
    "invalid_argument: received a frame of unknown type 119",
  ],
  "a resume of an unknown session": [
    hello({ resume: { session: new Uint8Array(16), secret: new Uint8Array(32) } }),
    "not_found: session is unknown: it has ended, or the broker was started anew",
  ],
};

for (const [what, [bytes, refusal]] of Object.entries(REFUSALS)) {
  Deno.test(`SessionAcceptor refuses ${what}`, async () => {
    using setup = broker();
    const { peer } = setup.connect();
    peer.sendBytes(bytes);
    peer.sendBytes(hello({})); // too late
    await settle();
    equal(refused(peer), refusal);
    equal(setup.acceptor.size, 0);
  });
}

Deno.test("SessionAcceptor cuts the text of a refusal to 1 KiB", async () => {
  const acceptor = new SessionAcceptor({ agent: "", capabilities: [], logger: silent });
  const pipe = memoryPipe();
  const peer = new RawPeer(pipe.b);
  const authenticate = () => {
    throw new WasimoffError("permission_denied", "no ".repeat(100_000));
  };
  void acceptor.accept(pipe.a, { endpoint: "", leaseMs: 1, peer: null, authenticate, opened: () => {} });
  peer.sendBytes(hello({}));
  await settle();
  equal(refused(peer).length, "permission_denied: ".length + 1_024);
});

Deno.test("SessionAcceptor closes a connection that says nothing for 5 s", async () => {
  using clock = fakeClock();
  using setup = broker();
  const { peer } = setup.connect();
  await clock.tick(4_999);
  equal(peer.closed, null);
  await clock.tick(1);
  equal(peer.closed!.code, "deadline_exceeded");
  peer.sendBytes(hello({}));
  await clock.tick(0);
  deepEqual([setup.acceptor.size, peer.frames], [0, []]);
});

Deno.test("SessionAcceptor refuses a session above its limit until another has ended", async () => {
  using setup = broker(2);
  const open = async () => {
    const { peer } = setup.connect();
    peer.sendBytes(hello({}));
    await settle();
    return peer;
  };
  await open();
  const second = await open();
  equal(refused(await open()), "resource_exhausted: broker has too many sessions: try again later");
  equal(setup.acceptor.size, 2);
  second.send({ type: FRAME_GOODBYE, code: "canceled", reason: "" });
  await settleGoodbye();
  equal(welcomed(await open()).leaseMs, 10_000);
  equal(MAX_SESSIONS, 50_000);
});

Deno.test("SessionAcceptor refuses one peer's session above its limit, and takes those of others", async () => {
  using setup = broker(10, 2);
  const open = async (from: string | null) => {
    const { peer } = setup.connect("provider", 10_000, from);
    peer.sendBytes(hello({}));
    await settle();
    return peer;
  };
  await open("10.0.0.1");
  const second = await open("10.0.0.1");
  equal(
    refused(await open("10.0.0.1")),
    "resource_exhausted: your address has too many sessions: try again later",
  );
  for (const from of ["10.0.0.2", null, null, null]) equal(welcomed(await open(from)).leaseMs, 10_000);
  second.send({ type: FRAME_GOODBYE, code: "canceled", reason: "" });
  await settleGoodbye();
  equal(welcomed(await open("10.0.0.1")).leaseMs, 10_000);
  equal(MAX_SESSIONS_PER_PEER, 4_096);
});

Deno.test("a session that opened() does not take ends with a goodbye and the cause", async () => {
  using setup = broker();
  const { peer } = setup.connect();
  peer.sendBytes(hello({ agent: "unlucky" }));
  await settle();
  deepEqual([peer.closed?.code, peer.closed?.message], ["resource_exhausted", "no room for you"]);
  equal(setup.acceptor.size, 0);
});

/** A live session of a provider that has received two messages and sent one. */
async function resumable(setup: ReturnType<typeof broker>) {
  const { peer, pipe } = setup.connect();
  peer.sendBytes(hello({}));
  await settle();
  const { session: id, secret } = welcomed(peer);
  const session = setup.sessions[0]!;
  peer.send({ type: FRAME_MESSAGE, body: one });
  session.send(Uint8Array.of(10));
  session.send(Uint8Array.of(11));
  await settle();
  return { session, id, secret, peer, pipe };
}

Deno.test("a session is resumed with its secret: lost frames come again, those received do not", async () => {
  using setup = broker();
  const { session, id, secret, pipe } = await resumable(setup);
  pipe.cut();
  session.send(Uint8Array.of(12));
  await settle();
  equal(session.connected, false);
  const { peer } = setup.connect();
  peer.sendBytes(hello({ resume: { session: id, secret, received: 1n } }));
  await settle();
  const welcome = welcomed(peer);
  deepEqual([welcome.received, welcome.session.length, welcome.secret.length], [1n, 0, 0]);
  deepEqual(peer.of(FRAME_MESSAGE).map(({ body }) => body[0]), [11, 12]);
  deepEqual([setup.sessions.length, session.connected], [1, true]);
});

Deno.test("a refused resume does not touch the live session", async () => {
  using setup = broker();
  const { session, id, secret, peer: live } = await resumable(setup);
  const wrong = secret.slice();
  wrong[31]! ^= 1;
  const attempts: [string, MessageInitShape<typeof HelloSchema>["resume"], string, string?][] = [
    ["wrong secret", { session: id, secret: wrong, received: 2n }, "not_found"],
    ["no secret", { session: id, received: 2n }, "not_found"],
    ["another id", { session: id.map((byte) => byte ^ 1), secret, received: 2n }, "not_found"],
    ["a long id", { session: new Uint8Array(10_000), secret, received: 2n }, "not_found"],
    ["another endpoint", { session: id, secret, received: 2n }, "not_found", "client"],
    ["a count too high", { session: id, secret, received: 3n }, "invalid_argument"],
    ["a count of 2^64 - 1", { session: id, secret, received: 2n ** 64n - 1n }, "invalid_argument"],
  ];
  for (const [what, resume, code, endpoint] of attempts) {
    const { peer } = setup.connect(endpoint);
    peer.sendBytes(hello({ resume: resume! }));
    await settle();
    ok(refused(peer).startsWith(`${code}: `), what);
  }
  live.send({ type: FRAME_MESSAGE, body: one });
  session.send(Uint8Array.of(12));
  await settle();
  deepEqual([session.connected, session.received, live.closed], [true, 2, null]);
  deepEqual(live.of(FRAME_MESSAGE).map(({ body }) => body[0]), [10, 11, 12]);
});

Deno.test("a resume that goes back behind an acknowledgement is refused", async () => {
  using setup = broker();
  const { session, id, secret, pipe } = await resumable(setup);
  pipe.cut();
  const again = setup.connect().peer;
  again.sendBytes(hello({ resume: { session: id, secret, received: 2n } }));
  await settle();
  const { peer } = setup.connect();
  peer.sendBytes(hello({ resume: { session: id, secret, received: 1n } }));
  await settle();
  ok(refused(peer).startsWith("invalid_argument: "));
  equal(session.connected, true);
});

Deno.test("a session cannot be resumed after its lease", async () => {
  using clock = fakeClock();
  using setup = broker();
  const { id, secret, pipe } = await resumable(setup);
  pipe.cut();
  await clock.tick(10_000);
  equal(setup.acceptor.size, 0);
  const { peer } = setup.connect();
  peer.sendBytes(hello({ resume: { session: id, secret, received: 2n } }));
  await clock.tick(0);
  ok(refused(peer).startsWith("not_found: "));
});
