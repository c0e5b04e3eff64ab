/** Peers that attack a broker, beside a client whose tasks must not notice. */

import { fromBinary } from "@bufbuild/protobuf";
import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { type Code, codeFromNumber } from "../../core/errors.ts";
import { exited } from "../../core/outcome.ts";
import { RefusalSchema, WelcomeSchema } from "../../core/protocol/gen/wasimoff/v2/wasimoff_pb.ts";
import {
  encodeFrame,
  FRAME_DATA,
  FRAME_GOODBYE,
  FRAME_MESSAGE,
  FRAME_REFUSAL,
  FRAME_WELCOME,
} from "../../core/session/frame.ts";
import { memoryOf } from "../support/child_processes.ts";
import { clientUrl, GUEST, providerUrl } from "../support/host_cluster.ts";
import { liveIo } from "../support/live_streams.ts";
import {
  closedByBroker,
  dialRaw,
  eventFrame,
  greetRaw,
  helloFrame,
  requestFrame,
} from "../support/raw_session.ts";
import {
  BINARY,
  BINARY_BEGIN,
  closeCodeOf,
  CONTINUATION,
  TEXT,
  upgradeByHand,
  webSocketFrame,
} from "../support/raw_websocket.ts";
import { RealCluster } from "../support/real_cluster.ts";
import { until } from "../support/real_slots.ts";

/** What a broker may take beyond what it had, whatever it is sent. */
const MAX_GROWTH_BYTES = 200 * 1024 * 1024;

/** A broker under attack, and tasks of an honest client one after the other until the attack is over. */
async function besideHonestClient(attack: (port: number, module: string) => Promise<void>): Promise<void> {
  await using cluster = await RealCluster.start("--http", "127.0.0.1:0");
  await cluster.provider("-j", "1");
  const module = await cluster.upload(GUEST);
  const client = await cluster.client();
  const serve = async () => {
    const io = liveIo(undefined);
    const stdinBytes = new TextEncoder().encode("honest");
    const { outcome } = await client.run({ module, args: ["guest", "echo"] }, { ...io, stdinBytes });
    deepStrictEqual([outcome, io.stdout.text], [exited(0), "honest"]);
  };
  await serve();
  const before = memoryOf(cluster.broker.pid).rss;
  let attacking = true;
  const attacked = attack(Number(new URL(cluster.url).port), module).finally(() => attacking = false);
  do await serve(); while (attacking);
  await attacked;
  await serve();
  const grown = memoryOf(cluster.broker.pid).peak - before;
  ok(grown < MAX_GROWTH_BYTES, `memory has grown by ${grown / 2 ** 20} MiB`);
}

const bytes = (first: number, length: number, fill: number) =>
  Uint8Array.of(first, ...new Uint8Array(length).fill(fill));

/** Begins a group of field 6, which no message has. */
const GROUP = 6 << 3 | 3;

const GOODBYE = encodeFrame({ type: FRAME_GOODBYE, code: "canceled", reason: "enough" });

/** First frames, and the code of the refusal. */
const BAD_HELLOS: Readonly<Record<string, readonly [Uint8Array, Code]>> = {
  "nothing in it": [new Uint8Array(0), "invalid_argument"],
  "no hello": [Uint8Array.of(0x10, 0), "invalid_argument"],
  "no protobuf": [bytes(0x01, 100, 0xff), "invalid_argument"],
  "nested groups": [bytes(0x01, 16_000, GROUP), "invalid_argument"],
  "17 KiB": [helloFrame({ agent: "x".repeat(17 * 1024) }), "out_of_range"],
  "another version": [helloFrame({ version: 3 }), "unimplemented"],
  "an unknown session": [
    helloFrame({ resume: { session: new Uint8Array(16), secret: new Uint8Array(32), received: 0n } }),
    "not_found",
  ],
};

/** Frames behind a good hello, and the code of the goodbye. */
const BAD_FRAMES: Readonly<Record<string, readonly [Uint8Array, Code]>> = {
  "an empty one": [new Uint8Array(0), "invalid_argument"],
  "an unknown type": [bytes(0x77, 10, 0), "invalid_argument"],
  "a truncated END": [Uint8Array.of(0x12, 0, 0, 0), "invalid_argument"],
  "an undecodable message": [bytes(0x10, 1_000, 0xff), "invalid_argument"],
  "65,000 nested groups": [bytes(0x10, 65_000, GROUP), "invalid_argument"],
  "a second hello": [helloFrame(), "invalid_argument"],
  "an acknowledgement of the future": [bytes(0x20, 8, 1), "invalid_argument"],
};

Deno.test("frames that no peer should send end their connection, and nobody else notices", () =>
  besideHonestClient(async (port) => {
    for (const url of [clientUrl(port), providerUrl(port)]) {
      for (const [what, [frame, code]] of Object.entries(BAD_HELLOS)) {
        const peer = await dialRaw(url);
        peer.sendBytes(frame);
        await closedByBroker(peer);
        const refusals = peer.of(FRAME_REFUSAL).map(({ body }) => fromBinary(RefusalSchema, body).code);
        deepStrictEqual(refusals.map(codeFromNumber), [code], `hello with ${what}`);
      }
      for (const [what, [frame, code]] of Object.entries(BAD_FRAMES)) {
        const peer = await greetRaw(url);
        peer.sendBytes(frame);
        await closedByBroker(peer);
        deepStrictEqual(peer.of(FRAME_GOODBYE).map((frame) => frame.code), [code], what);
      }
    }
  }));

Deno.test("WebSocket frames that no peer should send close their connection, and nobody else notices", () =>
  besideHonestClient(async (port) => {
    const attack = async (...frames: Uint8Array[]) => {
      const { socket, status } = await upgradeByHand(port, "/api/client/ws");
      using _ = socket;
      strictEqual(status, "HTTP/1.1 101 Switching Protocols");
      // It may be closed before all is written.
      for (const frame of frames) await socket.write(frame).catch(() => {});
      return await closeCodeOf(socket);
    };
    const data = new Uint8Array(60_000);
    strictEqual(await attack(webSocketFrame(TEXT, new TextEncoder().encode("hello"))), 1003);
    strictEqual(await attack(webSocketFrame(BINARY, data, 2 ** 30)), 1009);
    strictEqual(
      await attack(webSocketFrame(BINARY_BEGIN, data), webSocketFrame(CONTINUATION, data)),
      1009,
      "parts that are too much together",
    );
    strictEqual(await attack(Uint8Array.of(0x82, 0x01, 0x00)), 1002, "unmasked");
    strictEqual(await attack(Uint8Array.of(0xf2, 0x80, 0, 0, 0, 0)), 1002, "reserved bits");
    // A truncated frame, and then nothing any more.
    for (let i = 0; i < 50; i++) {
      const { socket } = await upgradeByHand(port, "/api/client/ws");
      await socket.write(webSocketFrame(BINARY, data, 65_000));
      socket.close();
    }
  }));

Deno.test("a session cannot be taken over with a wrong secret, and goes on", () =>
  besideHonestClient(async (port, module) => {
    const victim = await greetRaw(clientUrl(port));
    const { session, secret } = fromBinary(WelcomeSchema, victim.of(FRAME_WELCOME)[0]!.body);
    const wrong = secret.slice();
    wrong[31]! ^= 1;
    for (const [secret, url] of [[wrong, clientUrl(port)], [new Uint8Array(0), clientUrl(port)]] as const) {
      const thief = await dialRaw(url);
      thief.sendBytes(helloFrame({ resume: { session, secret, received: 0n } }));
      await closedByBroker(thief);
      const [refusal] = thief.of(FRAME_REFUSAL).map(({ body }) => fromBinary(RefusalSchema, body));
      strictEqual(codeFromNumber(refusal!.code), "not_found");
    }
    const elsewhere = await dialRaw(providerUrl(port));
    elsewhere.sendBytes(helloFrame({ resume: { session, secret, received: 0n } }));
    await closedByBroker(elsewhere);
    strictEqual(victim.closed, null);
    victim.sendBytes(requestFrame(7, { case: "runTask", value: { module, args: ["guest", "exit", "9"] } }));
    await until(() => victim.of(FRAME_MESSAGE).length === 1, 10_000);
    victim.sendBytes(GOODBYE);
    await closedByBroker(victim);
  }));

Deno.test("stdin beyond its credit ends the session and cancels its task", () =>
  besideHonestClient(async (port, module) => {
    const peer = await greetRaw(clientUrl(port));
    const value = { module, args: ["guest", "sleep"], stdio: { stdin: 2, stdout: 4, stderr: 6 } };
    peer.sendBytes(requestFrame(1, { case: "runTask", value }));
    for (let i = 0; i < 128 && peer.closed === null; i++) {
      peer.send({ type: FRAME_DATA, stream: 2, offset: i * 65_536, body: new Uint8Array(65_536) });
    }
    await closedByBroker(peer);
    deepStrictEqual(peer.of(FRAME_GOODBYE).map(({ code }) => code), ["invalid_argument"]);
  }));

Deno.test("a million status events of one provider are heard, and nothing grows", () =>
  besideHonestClient(async (port) => {
    const peer = await greetRaw(providerUrl(port));
    peer.sendBytes(requestFrame(1, { case: "announce", value: { name: "chatty" } }));
    const events = [true, false].map((draining) =>
      eventFrame({ case: "providerStatus", value: { draining, backlog: 9 } })
    );
    for (let sent = 0; sent < 1_000_000 && peer.closed === null; sent++) {
      peer.sendBytes(events[sent % 2]!);
      if (sent % 1_000 === 0) await until(() => peer.buffered < 65_536, 10_000);
    }
    strictEqual(peer.closed, null);
    peer.sendBytes(GOODBYE);
    await closedByBroker(peer);
  }));
