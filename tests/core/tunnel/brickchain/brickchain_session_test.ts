import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import FakeTimers from "@sinonjs/fake-timers";
import { WasimoffError } from "../../../../core/errors.ts";
import {
  type BrickchainDocument,
  encodeDocument,
} from "../../../../core/tunnel/brickchain/brickchain_document.ts";
import { decodeDocument } from "../../../../core/tunnel/brickchain/brickchain_decode.ts";
import { BrickchainSession } from "../../../../core/tunnel/brickchain/brickchain_session.ts";
import type { LocalService, ServiceRequest } from "../../../../core/tunnel/brickchain/brickchain_service.ts";
import { MemoryMessages } from "../../../support/message_pipes.ts";
import { settle } from "../../../support/settle.ts";

const NOW = Date.parse("2026-11-21T02:27:59.975Z");

class Scene {
  readonly server: MemoryMessages;
  readonly client: MemoryMessages;
  readonly session: BrickchainSession;
  readonly asked: ServiceRequest[] = [];

  constructor(service: Partial<LocalService> = {}) {
    [this.server, this.client] = MemoryMessages.pair();
    this.server.start({ onMessage: () => {}, onClose: () => {} });
    this.session = new BrickchainSession({
      pipe: this.client,
      service: {
        request: (request) => {
          this.asked.push(request);
          return Promise.resolve({ status: 200, headers: {}, body: new Uint8Array() });
        },
        open: () => Promise.reject(new WasimoffError("unavailable", "nothing listens there")),
        ...service,
      },
      now: () => NOW,
      newId: () => "r1",
    });
  }

  async says(document: BrickchainDocument): Promise<void> {
    this.server.send(encodeDocument(document, NOW));
    await settle();
  }

  /** What the client has said last. */
  get last() {
    return decodeDocument(this.client.sent.at(-1) as string);
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

clocked("a server that says nothing for 20 s is given up, pings count", async (clock) => {
  const { session, client, server } = new Scene();
  let cause: WasimoffError | undefined;
  void session.closed.then((reason) => cause = reason);
  clock.tick(19_999);
  server.send(encodeDocument({ kind: "ping" }, NOW));
  await settle();
  clock.tick(19_999);
  await settle();
  strictEqual(cause, undefined);
  clock.tick(1);
  await settle();
  strictEqual(cause!.message, "server was silent for 20 s");
  strictEqual(client.closed?.code, 1001);
  strictEqual(clock.countTimers(), 0);
});

clocked(
  "a registration ends with the answer to it, with a refusal, after 10 s, or with the connection",
  async (clock) => {
    const good = new Scene();
    const registering = good.session.register("a.b.c", "s");
    deepStrictEqual(good.last, {
      kind: "registration-request",
      id: "r1",
      mandateToken: "a.b.c",
      session: "s",
    });
    await good.says({ kind: "registration-response", id: "other", keyID: "wrong", hostname: "" });
    await good.says({ kind: "registration-response", id: "r1", keyID: "key", hostname: "key.test" });
    deepStrictEqual(await registering, { id: "key", hostname: "key.test" });

    const refused = new Scene();
    const refusal = rejects(refused.session.register("a.b.c", ""), {
      code: "unauthenticated",
      message: "server refused us: failed to verify: expired",
    });
    refused.server.send("failed to verify: expired\n");
    await refusal;

    const silent = new Scene();
    const late = rejects(silent.session.register("a.b.c", ""), { code: "deadline_exceeded" });
    clock.tick(10_000);
    await late;

    const cut = new Scene();
    const lost = rejects(cut.session.register("a.b.c", ""), { code: "unavailable" });
    cut.server.close(1001, "bye");
    await lost;
  },
);

clocked("everything that goes wrong at the service is an answer", async () => {
  const scene = new Scene({
    request: () => Promise.reject(new WasimoffError("deadline_exceeded", "was silent")),
  });
  await scene.says({
    kind: "http-request",
    id: "1",
    url: "/",
    query: "",
    headers: {},
    method: "GET",
    body: "",
  });
  deepStrictEqual(scene.last, {
    kind: "http-response",
    id: "1",
    headers: { "Content-Type": "text/plain; charset=utf-8" },
    contentType: "text/plain; charset=utf-8",
    status: 504,
    body: btoa("was silent\n"),
  });
  await scene.says({ kind: "ws-request", id: "2", url: "/", query: "", headers: {} });
  deepStrictEqual(scene.last, { kind: "ws-response", id: "2", ok: false, error: "nothing listens there" });
});

clocked("messages for a WebSocket that is not open yet wait within bounds", async () => {
  const opening = Promise.withResolvers<never>();
  const scene = new Scene({ open: () => opening.promise });
  await scene.says({ kind: "ws-request", id: "w", url: "/", query: "", headers: {} });
  const sent = scene.client.sent.length;
  const body = "x".repeat(400_000);
  await scene.says({ kind: "ws-message", id: "w", messageType: 1, body });
  await scene.says({ kind: "ws-message", id: "w", messageType: 1, body });
  strictEqual(scene.client.sent.length, sent);
  await scene.says({ kind: "ws-message", id: "w", messageType: 1, body });
  deepStrictEqual(scene.last, { kind: "ws-teardown", id: "w" });
});

clocked("disconnect says so and closes", async () => {
  const { session, client } = new Scene();
  session.disconnect();
  await settle();
  deepStrictEqual(decodeDocument(client.sent.at(-1) as string), { kind: "disconnect", id: "r1" });
  strictEqual((await session.closed).code, "unavailable");
  strictEqual(client.closed?.code, 1000);
});

const ASK: BrickchainDocument = {
  kind: "http-request",
  id: "1",
  url: "/",
  query: "",
  headers: {},
  method: "GET",
  body: "",
};

clocked("methods whose answer cannot travel do not reach the service", async () => {
  for (const method of ["CONNECT", "GE T", ""]) {
    const scene = new Scene();
    await scene.says({ ...ASK, method });
    strictEqual((scene.last as { status?: number }).status, 400);
    deepStrictEqual(scene.asked, []);
  }
});

clocked("a frame counts in bytes, as servers count it", async () => {
  const answer = (headers: Record<string, string>) =>
    new Scene({ request: () => Promise.resolve({ status: 200, headers, body: new Uint8Array() }) });
  for (const [length, status] of [[200_000, 200], [300_000, 502]] as const) {
    const scene = answer({ "X-Own": "ü".repeat(length) });
    await scene.says(ASK);
    strictEqual((scene.last as { status?: number }).status, status);
  }
});

clocked("answers that have waited go out one by one as there is room", async () => {
  const scene = new Scene();
  const send = scene.client.send.bind(scene.client);
  scene.client.send = (message) => {
    send(message);
    scene.client.full = true;
  };
  scene.client.full = true;
  for (const id of ["1", "2"]) await scene.says({ ...ASK, id });
  strictEqual(scene.client.sent.length, 0);
  scene.client.drain();
  await settle();
  strictEqual(scene.client.sent.length, 1);
  scene.client.drain();
  await settle();
  strictEqual(scene.client.sent.length, 2);
});
