import { deepStrictEqual, match, rejects, strictEqual } from "node:assert/strict";
import FakeTimers from "@sinonjs/fake-timers";
import fc from "fast-check";
import { WasimoffError } from "../../../../core/errors.ts";
import { Logger, silent } from "../../../../core/log.ts";
import { MAX_PENDING_CALLS } from "../../../../core/tunnel/brickchain/brickchain_calls.ts";
import {
  type BrickchainDocument,
  encodeDocument,
} from "../../../../core/tunnel/brickchain/brickchain_document.ts";
import {
  BrickchainLink,
  type BrickchainLinkOptions,
  MAX_REFUSALS,
  MAX_REGISTRATIONS,
  REFUSALS_WINDOW_MS,
} from "../../../../core/tunnel/brickchain/brickchain_link.ts";
import type { RelayedSocket } from "../../../../core/tunnel/brickchain/brickchain_relay.ts";
import { MAX_RELAYS } from "../../../../core/tunnel/brickchain/brickchain_relays.ts";
import { MemoryMessages } from "../../../support/message_pipes.ts";
import { settle } from "../../../support/settle.ts";

const NOW = Date.parse("2026-11-21T02:27:59.975Z");
const PING = '{"@type":"https://proxy.brickchain.com/v1/ping.json"}\n';
const GET = { url: "/", query: "", headers: {}, method: "GET", body: "" };
const never = new AbortController().signal;

/** A link at the server and the client's end of its pipe. */
class Scene {
  readonly server: MemoryMessages;
  readonly client: MemoryMessages;
  readonly link: BrickchainLink;
  readonly ended: string[][] = [];
  #lastId = 0;

  constructor(options: Partial<BrickchainLinkOptions> = {}) {
    [this.server, this.client] = MemoryMessages.pair();
    this.client.start({ onMessage: () => {}, onClose: () => {} });
    this.link = new BrickchainLink({
      pipe: this.server,
      register: ({ mandateToken }) => {
        if (mandateToken === "bad") throw new WasimoffError("unauthenticated", "mandate token is bad");
        return Promise.resolve({ id: mandateToken, hostname: "" });
      },
      ended: (ids) => this.ended.push([...ids]),
      now: () => NOW,
      newId: () => `id${++this.#lastId}`,
      logger: silent,
      ...options,
    });
  }

  async says(document: BrickchainDocument): Promise<void> {
    this.client.send(encodeDocument(document, NOW));
    await settle();
  }

  register(mandateToken = "key"): Promise<void> {
    return this.says({ kind: "registration-request", id: "r", mandateToken, session: "" });
  }

  close(): void {
    this.client.close(1000, "");
  }
}

class RecordedSocket implements RelayedSocket {
  readonly sent: (Uint8Array | string)[] = [];
  readonly calls: string[] = [];
  buffered = 0;
  send(message: Uint8Array | string): void {
    this.sent.push(message);
  }
  pause(): void {
    this.calls.push("pause");
  }
  resume(): void {
    this.calls.push("resume");
  }
  close(code: number, reason: string): void {
    this.calls.push(`close ${code} ${reason}`);
  }
}

function clocked(name: string, run: (clock: FakeTimers.Clock) => Promise<void>): void {
  Deno.test(name, async () => {
    const clock = FakeTimers.install({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    try {
      await run(clock);
    } finally {
      clock.uninstall();
    }
  });
}

clocked("a link that does not register is closed after 10 s, bad tokens or not", async (clock) => {
  const scene = new Scene();
  await scene.register("bad");
  strictEqual(scene.server.sent.at(-1), "failed to register: mandate token is bad");
  clock.tick(9_999);
  strictEqual(scene.server.closed, null);
  clock.tick(1);
  deepStrictEqual(scene.server.closed, { code: 1008, reason: "not registered within 10 s" });
  deepStrictEqual(scene.ended, [[]]);
});

clocked("a registered link stays, and is pinged after 10 s without a message to it", async (clock) => {
  const scene = new Scene();
  await scene.register();
  strictEqual(scene.server.sent.length, 1);
  clock.tick(9_999);
  strictEqual(scene.server.sent.length, 1);
  clock.tick(1);
  strictEqual(scene.server.sent.at(-1), PING);
  clock.tick(5_000);
  await scene.register("second");
  clock.tick(9_999);
  strictEqual(scene.server.sent.length, 3);
  clock.tick(20_001);
  deepStrictEqual(scene.server.sent.slice(3), [PING, PING, PING]);
  scene.close();
  await settle();
  strictEqual(clock.countTimers(), 0);
});

clocked(
  "a request without an answer ends after 30 s, and its late answer counts for nothing",
  async (clock) => {
    const scene = new Scene();
    await scene.register();
    const asking = scene.link.request(GET, never);
    await settle();
    clock.tick(29_999);
    clock.tick(1);
    await rejects(asking, { code: "deadline_exceeded", message: "timeout" });
    await scene.says({
      kind: "http-response",
      id: "id1",
      headers: {},
      contentType: "",
      status: 200,
      body: "",
    });
    scene.close();
  },
);

clocked("answers find their requests in any order, and nobody else's", async () => {
  const scene = new Scene();
  await scene.register();
  const [first, second] = [scene.link.request(GET, never), scene.link.request(GET, never)];
  await settle();
  const answer = { kind: "http-response", headers: {}, contentType: "", status: 200 } as const;
  await scene.says({ ...answer, id: "unknown", body: "x" });
  await scene.says({ ...answer, id: "id2", body: "two" });
  await scene.says({ ...answer, id: "id1", body: "one" });
  deepStrictEqual([(await first).body, (await second).body], ["one", "two"]);
  scene.close();
});

clocked("requests of a link that ends fail at once, and none is sent for who has left", async () => {
  const scene = new Scene();
  await scene.register();
  const asking = scene.link.request(GET, never);
  await settle();
  const left = new AbortController();
  scene.server.full = true;
  const leaving = scene.link.request(GET, left.signal);
  left.abort();
  await rejects(leaving, { code: "canceled" });
  const sent = scene.server.sent.length;
  scene.server.drain();
  await settle();
  strictEqual(scene.server.sent.length, sent);
  scene.close();
  await rejects(asking, { code: "unavailable" });
  await rejects(scene.link.request(GET, never), { code: "unavailable" });
  deepStrictEqual(scene.ended, [["key"]]);
});

clocked("what is unanswered, registered or open is bounded", async () => {
  const scene = new Scene();
  for (let i = 0; i < MAX_REGISTRATIONS; i++) await scene.register(`key${i}`);
  await scene.register("more");
  match(scene.server.sent.at(-1) as string, /^failed to register: too many/);
  const asking = Array.from({ length: MAX_PENDING_CALLS }, () => scene.link.request(GET, never));
  await rejects(scene.link.request(GET, never), { code: "resource_exhausted" });
  const request = { url: "/", query: "", headers: {} };
  for (let i = 0; i < MAX_RELAYS; i++) scene.link.open(request, new RecordedSocket());
  strictEqual(scene.link.opens, false);
  scene.close();
  strictEqual((await Promise.allSettled(asking)).every(({ status }) => status === "rejected"), true);
  strictEqual(scene.ended[0]!.length, MAX_REGISTRATIONS);
});

clocked("a client that does not say whether a WebSocket is open loses it after 30 s", async (clock) => {
  const scene = new Scene();
  await scene.register();
  const socket = new RecordedSocket();
  scene.link.open({ url: "/", query: "", headers: {} }, socket);
  clock.tick(30_000);
  deepStrictEqual(socket.calls, ["close 1011 timeout"]);
  match(scene.server.sent.findLast((frame) => frame !== PING) as string, /ws-teardown\.json/);
  scene.close();
});

clocked("a visitor is held back while much is unsent to the client", async () => {
  const scene = new Scene();
  await scene.register();
  const socket = new RecordedSocket();
  const relay = scene.link.open({ url: "/", query: "", headers: {} }, socket);
  deepStrictEqual(socket.calls, []);
  await scene.says({ kind: "ws-response", id: "id1", ok: true, error: "" });
  deepStrictEqual(socket.calls, ["resume"]);
  scene.server.full = true;
  relay.fromSocket("one");
  relay.fromSocket("two");
  await scene.says({ kind: "ws-message", id: "id1", messageType: 1, body: "back" });
  deepStrictEqual(socket.calls, ["resume", "pause"]);
  scene.server.drain();
  await settle();
  deepStrictEqual(socket.calls, ["resume", "pause", "resume"]);
  relay.socketClosed();
  match(scene.server.sent.at(-1) as string, /ws-teardown\.json/);
  relay.fromSocket("late");
  match(scene.server.sent.at(-1) as string, /ws-teardown\.json/);
  scene.close();
});

clocked("binary frames are not spoken, and garbage ends nothing", async () => {
  const scene = new Scene();
  await scene.register();
  for (const frame of ["", "garbage", "[]", '{"@type":"x"}', '{"@type":5}']) scene.client.send(frame);
  await settle();
  const codes = [scene.server.closed?.code];
  scene.client.send(Uint8Array.of(1));
  await settle();
  deepStrictEqual([...codes, scene.server.closed?.code], [undefined, 1003]);
});

clocked("a registration that fails inside tells nothing of it, but the log", async () => {
  const lines: string[] = [];
  const scene = new Scene({
    register: () => Promise.reject(new TypeError("secret")),
    logger: new Logger((level, message) => lines.push(`${level} ${message}`)),
  });
  await scene.register();
  strictEqual(scene.server.sent.at(-1), "failed to register: the server failed");
  deepStrictEqual(lines, ["error registration failed"]);
  scene.close();
});

clocked("no order of documents breaks a link", async () => {
  const id = fc.constantFrom("id1", "id2", "id3", "");
  const document = fc.oneof(
    fc.record({ kind: fc.constant("registration-request" as const), id, mandateToken: id, session: id }),
    fc.record({ kind: fc.constant("ws-response" as const), id, ok: fc.boolean(), error: id }),
    fc.record({ kind: fc.constant("ws-message" as const), id, messageType: fc.integer(), body: fc.string() }),
    fc.record({ kind: fc.constant("ws-teardown" as const), id }),
    fc.record({
      kind: fc.constant("http-response" as const),
      id,
      headers: fc.constant({}),
      contentType: id,
      status: fc.integer(),
      body: id,
    }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(document, { maxLength: 8 }), async (documents) => {
      const scene = new Scene();
      const socket = new RecordedSocket();
      const asking = Promise.allSettled([scene.link.request(GET, never)]);
      scene.link.open({ url: "/", query: "", headers: {} }, socket);
      for (const one of documents) scene.client.send(encodeDocument(one as BrickchainDocument, NOW));
      await settle();
      scene.close();
      await settle();
      strictEqual((await asking).length, 1);
      strictEqual(socket.calls.filter((call) => call.startsWith("close")).length, 1);
    }),
    { numRuns: 25 },
  );
});

clocked("requests that have waited go out one by one as there is room", async () => {
  const scene = new Scene();
  await scene.register();
  const send = scene.server.send.bind(scene.server);
  scene.server.send = (message) => {
    send(message);
    scene.server.full = true;
  };
  scene.server.full = true;
  const asking = [1, 2, 3].map(() => scene.link.request(GET, never));
  const before = scene.server.sent.length;
  for (let sent = 0; sent < 3; sent++) {
    await settle();
    strictEqual(scene.server.sent.length, before + sent);
    scene.server.drain();
  }
  await settle();
  strictEqual(scene.server.sent.length, before + 3);
  scene.close();
  for (const one of asking) await rejects(one, { code: "unavailable" });
});

for (
  const frame of [
    "garbage",
    "{}",
    encodeDocument({
      kind: "registration-request",
      id: "r",
      mandateToken: "bad",
      session: "",
    }, NOW),
  ]
) {
  clocked(`more than so many of ${frame.slice(0, 20)} at once end the connection`, async () => {
    let now = NOW;
    const scene = new Scene({ now: () => now });
    await scene.register();
    const closeCode = () => scene.client.closed?.code;
    const flood = async () => {
      for (let i = 0; i < MAX_REFUSALS; i++) {
        scene.client.send(frame);
        if (i % 32 === 0) await settle();
      }
      await settle();
    };
    await flood();
    now += REFUSALS_WINDOW_MS;
    await flood();
    strictEqual(closeCode(), undefined);
    scene.client.send(frame);
    await settle();
    strictEqual(closeCode(), 1008);
    deepStrictEqual(scene.ended, [["key"]]);
  });
}
