/** Brokers of the first generation that lie, break off and talk nonsense, to our provider and our client. */

import { create } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import {
  Envelope_MessageType as Type,
  Event_ClusterInfoSchema,
  Filesystem_Listing_ResponseSchema,
  PingSchema,
  Task_Wasip1_RequestSchema,
  Task_Wasip1_ResponseSchema,
} from "../../core/protocol/gen/wasimoff/v1/messages_pb.ts";
import { runCommand } from "../support/command_run.ts";
import { waitUntil } from "../support/open_server.ts";
import { connectProvider, echoingSlot, HeldSlots } from "../support/provider_v1.ts";
import { ScriptedBroker } from "../support/scripted_broker_v1.ts";
import type { Answer, ScriptedPeer } from "../support/scripted_peer_v1.ts";

const NOOP = new URL("../../examples/noop/noop.wasm", import.meta.url).pathname;
const MODULE = Deno.readFileSync(NOOP);

/** That the provider still works for whoever is on the other side of this connection. */
async function serves(peer: ScriptedPeer): Promise<void> {
  const task = { info: { id: "1" }, params: { binary: { blob: MODULE }, args: ["x"] } };
  const answer = await peer.request(Task_Wasip1_RequestSchema, create(Task_Wasip1_RequestSchema, task));
  strictEqual(answer.error, undefined);
}

/** What ends the connection, and the code with which our provider closes it. */
const FATAL: Readonly<Record<string, readonly [send: (peer: ScriptedPeer) => void, code: number]>> = {
  "bytes that are no envelope": [({ socket }) => socket.send(new Uint8Array(100).fill(0xff)), 1011],
  "a text": [({ socket }) => socket.send("{}"), 1003],
  "an envelope without a type": [(peer) => peer.sendEnvelope({ sequence: 1n }), 1011],
  "an envelope of a type that nobody knows": [(peer) => peer.sendEnvelope({ type: 9 as Type }), 1011],
  "a message of 65 MiB": [({ socket }) => socket.send(new Uint8Array(65 * 1024 * 1024)), 1009],
};

for (const [what, [send, code]] of Object.entries(FATAL)) {
  Deno.test(`a provider leaves a broker that sends ${what}, and comes back`, async () => {
    await using broker = await ScriptedBroker.start();
    await using _ = connectProvider(broker, { runInSlot: echoingSlot });
    const { peer } = await broker.provider();
    send(peer);
    strictEqual((await peer.closed).code, code);
    await serves((await broker.provider(1)).peer);
  });
}

/** What is answered, or passed over. */
const HARMLESS: Readonly<Record<string, readonly [send: (peer: ScriptedPeer) => void, error?: string]>> = {
  "a request of a type that nobody knows": [
    (peer) =>
      peer.sendEnvelope({
        ...{ type: Type.Request, sequence: 77n },
        payload: {
          $typeName: "google.protobuf.Any",
          typeUrl: "wasimoff/wasimoff.v9.Ping",
          value: new Uint8Array(0),
        },
      }),
    "unknown payload type",
  ],
  "a request whose payload is broken": [
    (peer) =>
      peer.sendEnvelope({
        ...{ type: Type.Request, sequence: 77n },
        payload: {
          ...{ $typeName: "google.protobuf.Any", typeUrl: "wasimoff/wasimoff.v1.Task.Wasip1.Request" },
          value: new Uint8Array(9).fill(0xff),
        },
      }),
    "unknown payload type",
  ],
  "a request without a payload": [
    (peer) => peer.sendEnvelope({ type: Type.Request, sequence: 77n }),
    "cannot unpack empty payload",
  ],
  "an event without a payload": [(peer) => peer.sendEnvelope({ type: Type.Event, sequence: 77n })],
  "an event that is a request": [(peer) => peer.emit(PingSchema, create(PingSchema))],
  "an answer to nothing": [(peer) => peer.sendEnvelope({ type: Type.Response, sequence: 77n, error: "" })],
  "an event of long ago": [
    (peer) =>
      peer.sendEnvelope({
        type: Type.Event,
        payload: anyPack(Event_ClusterInfoSchema, create(Event_ClusterInfoSchema, {})),
      }),
  ],
};

for (const [what, [send, error]] of Object.entries(HARMLESS)) {
  Deno.test(`a provider goes on after ${what}`, async () => {
    await using broker = await ScriptedBroker.start();
    await using _ = connectProvider(broker, { runInSlot: echoingSlot });
    const { peer } = await broker.provider();
    send(peer);
    await serves(peer);
    strictEqual(peer.responses.find(({ sequence }) => sequence === 77n)?.error, error);
  });
}

Deno.test("a provider answers a request without a number with 0, and each of two with the same number", async () => {
  await using broker = await ScriptedBroker.start();
  await using _ = connectProvider(broker, { runInSlot: echoingSlot });
  const { peer } = await broker.provider();
  const payload = anyPack(PingSchema, create(PingSchema));
  peer.sendEnvelope({ type: Type.Request, payload });
  for (let i = 0; i < 2; i++) peer.sendEnvelope({ type: Type.Request, sequence: 77n, payload });
  await serves(peer);
  const numbers = peer.responses.map(({ sequence }) => sequence).filter((n) => n === 0n || n === 77n);
  deepStrictEqual(numbers, [0n, 77n, 77n]);
});

Deno.test("a provider ends the tasks of a broker that is gone", async () => {
  await using broker = await ScriptedBroker.start();
  const slots = new HeldSlots();
  await using _ = connectProvider(broker, { runInSlot: slots.run });
  const { peer } = await broker.provider();
  const lost = serves(peer).catch(({ message }) => message);
  await waitUntil(() => slots.tasks.length === 1);
  peer.socket.terminate();
  strictEqual(await lost, "connection lost");
  await waitUntil(() => slots.tasks[0]!.signal.aborted);
  strictEqual(slots.tasks[0]!.signal.aborted, true);
});

Deno.test("a provider waits longer and longer for a broker that always breaks off", async () => {
  await using broker = await ScriptedBroker.start();
  await using _ = connectProvider(broker, { runInSlot: echoingSlot });
  const until = performance.now() + 1_000;
  for (let index = 0; performance.now() < until; index++) {
    const provider = await broker.provider(index);
    provider.peer.fail("x".repeat(124)); // too long for a reason: it comes empty
  }
  await waitUntil(() => broker.providers.length >= 3);
  ok(broker.providers.length >= 3 && broker.providers.length <= 8, `${broker.providers.length} connections`);
});

/** What a broker does with a task, and what submit says. */
const BROKERS: Readonly<
  Record<string, readonly [answer: Answer, message: RegExp]>
> = {
  "breaks off": [(_, __, peer) => (peer.fail("shutting down"), Promise.resolve(null)), /shutting down/],
  "vanishes": [(_, __, peer) => (peer.socket.terminate(), Promise.resolve(null)), /connection broke/],
  "answers with something else": [
    () => Promise.resolve(create(Filesystem_Listing_ResponseSchema)),
    /broker answered with a wasimoff.v1.Filesystem.Listing.Response/,
  ],
  "answers with nonsense": [
    (_, __, peer) => (peer.socket.send(new Uint8Array(50).fill(0xff)), Promise.resolve(null)),
    /cannot decode an envelope/,
  ],
  "answers with an empty error": [() => Promise.reject(new Error("")), /empty error/],
};

for (const [what, [answer, message]] of Object.entries(BROKERS)) {
  Deno.test(`submit ends with 125 at a broker that ${what}`, async () => {
    await using broker = await ScriptedBroker.start({ answer });
    const { code, stderr } = await runCommand(["submit", "--url", broker.url, NOOP]);
    strictEqual(code, 125);
    match(stderr, message);
  });
}

Deno.test("submit takes the first of two answers, and nothing of a third", async () => {
  const answer: Answer = (_, sequence, peer) => {
    const ok = (status: number) =>
      create(Task_Wasip1_ResponseSchema, { result: { case: "ok", value: { status } } });
    const payload = anyPack(Task_Wasip1_ResponseSchema, ok(3));
    peer.sendEnvelope({ type: Type.Response, sequence: sequence + 1n, error: "not yours" });
    peer.sendEnvelope({ type: Type.Response, sequence, payload });
    return Promise.resolve(ok(4));
  };
  await using broker = await ScriptedBroker.start({ answer });
  strictEqual((await runCommand(["submit", "--url", broker.url, NOOP])).code, 3);
});

Deno.test("submit refuses a broker that stores something else than it was sent, or speaks nothing that we know", async () => {
  await using liar = await ScriptedBroker.start();
  liar.storage.lie = `sha256:${"0".repeat(64)}`;
  const lied = await runCommand(["submit", "--url", liar.url, NOOP]);
  strictEqual(lied.code, 125);
  match(lied.stderr, /the broker stored "sha256:0+" instead of/);
  deepStrictEqual(liar.clients[0]!.requests, []);

  await using stranger = await ScriptedBroker.start({ protocols: ["wasimoff_v99"] });
  const strange = await runCommand(["submit", "--url", stranger.url, NOOP]);
  strictEqual(strange.code, 125);
  match(strange.stderr, /speaks none of our protocols: wasimoff_v2, wasimoff_provider_v1_protobuf/);
});
