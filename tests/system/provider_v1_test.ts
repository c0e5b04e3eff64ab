/** Our provider at an existing broker, step by step (wasimoff-v1 4). */

import { create, isMessage, type MessageInitShape } from "@bufbuild/protobuf";
import { deepStrictEqual, match, ok, strictEqual, throws } from "node:assert/strict";
import { WasimoffError } from "../../core/errors.ts";
import { failed } from "../../core/outcome.ts";
import {
  Event_FileSystemUpdateSchema,
  Event_ProviderResourcesSchema,
  Filesystem_Download_RequestSchema,
  Filesystem_Listing_RequestSchema,
  Filesystem_Probe_RequestSchema,
  Filesystem_Upload_RequestSchema,
  Task_CancelSchema,
  Task_Pyodide_RequestSchema,
  Task_Wasip1_ParamsSchema,
  Task_Wasip1_RequestSchema,
  type Task_Wasip1_Response,
} from "../../core/protocol/gen/wasimoff/v1/messages_pb.ts";
import { refOf, wasmLike } from "../support/chunks.ts";
import { connectProvider, echoingSlot, HeldSlots } from "../support/provider_v1.ts";
import { ScriptedBroker } from "../support/scripted_broker_v1.ts";
import type { ScriptedPeer } from "../support/scripted_peer_v1.ts";
import { waitUntil } from "../support/open_server.ts";

const BINARY = "wasimoff_provider_v1_protobuf";
const JSON_TEXT = "wasimoff_provider_v1_json";
const MODULE = wasmLike(100);
const text = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);

type Params = Exclude<MessageInitShape<typeof Task_Wasip1_ParamsSchema>, { $typeName: string }>;

/** A task whose module travels with it. */
function request(params: Params = {}, id = "1", immediate = false) {
  return create(Task_Wasip1_RequestSchema, {
    info: { id, requester: "", reference: "mine", trace: { created: 5n, events: [] } },
    qos: { immediate },
    params: { binary: { blob: MODULE, media: "application/wasm" }, args: ["guest"], ...params },
  });
}

async function run(peer: ScriptedPeer, task = request()): Promise<Task_Wasip1_Response> {
  return await peer.ask(Task_Wasip1_RequestSchema, task) as Task_Wasip1_Response;
}

/** The error of the envelope, which makes a broker try again elsewhere. */
async function refused(peer: ScriptedPeer, task: ReturnType<typeof request>): Promise<string | undefined> {
  return (await peer.request(Task_Wasip1_RequestSchema, task)).error;
}

for (const protocol of [BINARY, JSON_TEXT]) {
  Deno.test(`a provider is seated by an existing broker and serves it, over ${protocol}`, async () => {
    await using broker = await ScriptedBroker.start({ protocols: [protocol] });
    await using _ = connectProvider(broker, { runInSlot: echoingSlot });
    const { peer, id, userAgent, listed, pings } = await broker.provider();
    deepStrictEqual([id, userAgent, listed], ["ours", "wasimoff/test", []]);
    const first = peer.events[0]!;
    ok(isMessage(first, Event_ProviderResourcesSchema));
    deepStrictEqual([first.concurrency, first.tasks], [2, 0]);
    await waitUntil(() => pings.count >= 2);
    ok(pings.count >= 2, "pings are answered");

    const { info, result } = await run(
      peer,
      request({ args: ["guest", "a", "-1"], stdin: new TextEncoder().encode("in"), artifacts: ["out"] }),
    );
    strictEqual(result.case, "ok");
    const { status, stdout, stderr, artifacts } = result.value as Exclude<typeof result.value, string>;
    deepStrictEqual(
      [status, text(stdout), text(stderr), text(artifacts?.blob), artifacts?.ref, artifacts?.media],
      [-1, "guest a -1", "in", "PK", undefined, undefined],
    );
    deepStrictEqual([info?.id, info?.reference, info?.trace?.created], ["1", "mine", 5n]);
    deepStrictEqual(info?.trace?.events.map(({ event }) => event), [31, 32, 33, 34, 35, 36, 37]);
    const times = info.trace.events.map(({ unixnano }) => unixnano!);
    deepStrictEqual(times, times.toSorted(), "times never go back");
    deepStrictEqual(peer.requests, [], "a provider asks nothing");
  });
}

Deno.test("a provider fetches what a task names, checks it, and tells the broker that it is there", async () => {
  await using broker = await ScriptedBroker.start();
  await using provider = connectProvider(broker, { runInSlot: echoingSlot });
  const { peer } = await broker.provider();
  const binary = broker.storage.put(MODULE);
  const zip = broker.storage.put(new TextEncoder().encode("PK\x03\x04 some zip"));
  const task = request({ binary: { ref: binary }, rootfs: { ref: zip } });
  strictEqual((await run(peer, task)).result.case, "ok");
  strictEqual((await run(peer, task)).result.case, "ok");
  deepStrictEqual(broker.storage.log, [`GET /api/storage/${binary}`, `GET /api/storage/${zip}`]);
  const updates = peer.events.filter((event) => isMessage(event, Event_FileSystemUpdateSchema));
  deepStrictEqual(updates.map(({ added, removed }) => [added, removed]), [[[binary], []], [[zip], []]]);
  deepStrictEqual((await provider.files.list()).map(({ ref }) => ref).toSorted(), [binary, zip].toSorted());
  const listing = await peer.ask(Filesystem_Listing_RequestSchema, create(Filesystem_Listing_RequestSchema));
  ok("files" in listing && (listing.files as string[]).includes(binary));
});

Deno.test("a provider tells what sends a task elsewhere from what is its end", async () => {
  await using broker = await ScriptedBroker.start();
  const outcome = { value: failed("trap", "guest", "unreachable executed") };
  await using _ = connectProvider(broker, {
    runInSlot: async (task, io, signal) => {
      const result = await echoingSlot(task, io, signal);
      if (task.args[1] === "full") throw new WasimoffError("resource_exhausted", "no slot is free");
      return task.args[1] === "trap" ? { ...result, outcome: outcome.value } : result;
    },
  });
  const { peer } = await broker.provider();
  const nowhere = { ref: refOf(wasmLike(7)) };
  const { info, params } = request();
  strictEqual(
    await refused(peer, create(Task_Wasip1_RequestSchema, { params: params! })),
    "task has no info or no params",
  );
  strictEqual(
    await refused(peer, create(Task_Wasip1_RequestSchema, { info: info! })),
    "task has no info or no params",
  );
  strictEqual(
    await refused(peer, create(Task_Wasip1_RequestSchema, { info: info!, params: { args: ["x"] } })),
    "task has no binary",
  );
  strictEqual(await refused(peer, request({ binary: nowhere })), "binary not found in storage");
  strictEqual(await refused(peer, request({ binary: { ref: "a.wasm" } })), "binary not found in storage");
  strictEqual(await refused(peer, request({ binary: {} })), "binary not found in storage");
  match(await refused(peer, request({ binary: { blob: MODULE, ...nowhere } })) ?? "", /is another file/);
  strictEqual(await refused(peer, request({ args: ["guest", "full"] })), "no slot is free");

  const zip = await run(peer, request({ rootfs: nowhere }));
  deepStrictEqual(zip.result, { case: "error", value: "zip not found in storage" });
  const trap = await run(peer, request({ args: ["guest", "trap"] }));
  deepStrictEqual(trap.result, { case: "error", value: "trap: unreachable executed" });
  strictEqual(trap.info?.trace?.events.at(-1)?.event, 30);
});

Deno.test("a provider refuses a file whose content is not what its reference says, and keeps what it is sent", async () => {
  await using broker = await ScriptedBroker.start();
  await using provider = connectProvider(broker, { runInSlot: echoingSlot });
  const { peer } = await broker.provider();
  const ref = broker.storage.put(MODULE);
  broker.storage.files.set(ref, { media: "application/wasm", bytes: wasmLike(99) });
  match(await refused(peer, request({ binary: { ref } })) ?? "", /sha256/);

  const upload = (file: { ref?: string; blob?: Uint8Array }) =>
    peer.request(Filesystem_Upload_RequestSchema, create(Filesystem_Upload_RequestSchema, { upload: file }));
  const probe = (file: string) =>
    peer.ask(Filesystem_Probe_RequestSchema, create(Filesystem_Probe_RequestSchema, { file }));
  match((await upload({ ref, blob: wasmLike(98) })).error ?? "", /is another file/);
  strictEqual((await upload({})).error, "upload has no content");
  deepStrictEqual(await provider.files.list(), []);
  deepStrictEqual((await probe(ref) as { ok?: boolean }).ok, false);
  strictEqual(
    (await upload({ ref: ref.replace(/[a-f]/g, (hex) => hex.toUpperCase()), blob: MODULE })).error,
    undefined,
  );
  deepStrictEqual((await probe(ref) as { ok?: boolean }).ok, true);
  deepStrictEqual((await probe("a.wasm") as { ok?: boolean }).ok, false);
});

Deno.test("a provider lets tasks wait for a slot, and says which it has none for", async () => {
  await using broker = await ScriptedBroker.start();
  const slots = new HeldSlots();
  await using _ = connectProvider(broker, { runInSlot: slots.run });
  const { peer } = await broker.provider();
  const answers = [run(peer, request({ args: ["1"] }, "1"))];
  await waitUntil(() => slots.tasks.length === 1);
  answers.push(run(peer, request({ args: ["2"] }, "2")));
  await waitUntil(() => slots.tasks.length === 2);
  answers.push(run(peer, request({ args: ["3"] }, "3")));
  const busy = await peer.until(({ events }) => {
    const last = events.findLast((event) => isMessage(event, Event_ProviderResourcesSchema));
    return last?.tasks === 2 ? last : undefined;
  }, "that both slots are taken");
  strictEqual(busy.concurrency, 2);
  deepStrictEqual((await run(peer, request({}, "9", true))).result, {
    case: "error",
    value: "qos: no idle workers for immediate mode",
  });
  slots.tasks[1]!.finish();
  await waitUntil(() => slots.tasks.length === 3);
  deepStrictEqual(slots.tasks.map(({ task }) => task.args[0]), ["1", "2", "3"]);
  for (const { finish } of slots.tasks) finish();
  deepStrictEqual((await Promise.all(answers)).map(({ info }) => info?.id), ["1", "2", "3"]);
});

Deno.test("a provider takes 64 tasks more than it has slots for, and no more", async () => {
  await using broker = await ScriptedBroker.start();
  const slots = new HeldSlots();
  await using _ = connectProvider(broker, { runInSlot: slots.run });
  const { peer } = await broker.provider();
  const answers = Array.from({ length: 66 }, (_, n) => run(peer, request({}, `${n}`)));
  await waitUntil(() => slots.tasks.length === 2);
  strictEqual(await refused(peer, request({}, "last")), "too many tasks wait for a slot");
  for (let n = 0; n < 66; n++) {
    await waitUntil(() => slots.tasks.length > n);
    slots.tasks[n]!.finish();
  }
  strictEqual((await Promise.all(answers)).length, 66);
});

Deno.test("a provider echoes a cancel once the task is gone, also one that waits, and one that it does not know", async () => {
  await using broker = await ScriptedBroker.start();
  const slots = new HeldSlots();
  await using _ = connectProvider(broker, { runInSlot: slots.run, slots: 1 });
  const { peer } = await broker.provider();
  const answers = [run(peer, request({}, "1"))];
  await waitUntil(() => slots.tasks.length === 1);
  answers.push(run(peer, request({}, "2")));
  const cancel = (fields: { id?: string; reason?: string }) =>
    peer.request(Task_CancelSchema, create(Task_CancelSchema, fields));
  const ask = async (id: string) => {
    const echo = await peer.ask(
      Task_CancelSchema,
      create(Task_CancelSchema, { id, reason: "context canceled" }),
    );
    return [(echo as { id?: string }).id, (echo as { reason?: string }).reason];
  };
  deepStrictEqual(await ask("2"), ["2", "context canceled"]);
  strictEqual(slots.tasks.length, 1, "it never ran");
  deepStrictEqual(await ask("1"), ["1", "context canceled"]);
  strictEqual(slots.tasks[0]!.signal.aborted, true);
  deepStrictEqual(await ask("77"), ["77", "context canceled"]);
  strictEqual((await cancel({ reason: "x" })).error, "cancel names no task");
  for (const { result } of await Promise.all(answers)) {
    deepStrictEqual(result, { case: "error", value: "cancelled: context canceled" });
  }
});

Deno.test("a provider bounds what comes back of a task, and runs it as the existing ones do", async () => {
  await using broker = await ScriptedBroker.start();
  const slots = new HeldSlots();
  await using _ = connectProvider(broker, { runInSlot: slots.run });
  const { peer } = await broker.provider();
  const answer = run(peer, request({ args: [], envs: ["K=v"] }));
  await waitUntil(() => slots.tasks.length === 1);
  const { task, io, finish } = slots.tasks[0]!;
  const { module: _module, ...rest } = task;
  deepStrictEqual(rest, {
    ...{ args: [], env: ["K=v"], artifacts: [], lenientArtifacts: true, deterministic: false },
    preopens: [{ guest: ".", zip: null, readOnly: false }],
    limits: {
      ...{ timeoutMs: 60_000, cpuMs: null, memoryBytes: 1 << 26, diskBytes: 1 << 26 },
      ...{ inodes: 131_072, descriptors: 1_024, outputBytes: 32 << 20, artifactBytes: 31 << 20 },
    },
  });
  strictEqual(io.stdin, null);
  throws(() => io.artifacts.write(new Uint8Array((31 << 20) + 1)), { code: "out_of_range" });
  finish({ outcome: failed("limit", "provider", "too much") });
  deepStrictEqual((await answer).result, { case: "error", value: "limit: too much" });
});

Deno.test("a provider says what it does not do", async () => {
  await using broker = await ScriptedBroker.start();
  await using _ = connectProvider(broker, { runInSlot: echoingSlot });
  const { peer } = await broker.provider();
  const download = await peer.request(
    Filesystem_Download_RequestSchema,
    create(Filesystem_Download_RequestSchema, { file: "x" }),
  );
  strictEqual(download.error, "not implemented yet");
  const python = create(Task_Pyodide_RequestSchema, {
    info: { id: "1" },
    params: { run: { case: "script", value: "1" } },
  });
  strictEqual((await peer.request(Task_Pyodide_RequestSchema, python)).error, "this provider runs no Python");
});

Deno.test("a provider that leaves says so, ends its tasks, refuses others and closes with 1000", async () => {
  await using broker = await ScriptedBroker.start();
  const slots = new HeldSlots();
  await using provider = connectProvider(broker, { runInSlot: slots.run });
  const { peer } = await broker.provider();
  const answer = run(peer);
  await waitUntil(() => slots.tasks.length === 1);
  const left = provider.leave();
  await peer.until(({ events }) => {
    const last = events.findLast((event) => isMessage(event, Event_ProviderResourcesSchema));
    return last?.concurrency === 0 || undefined;
  }, "the end of its slots");
  strictEqual(await refused(peer, request({}, "2")), "provider is draining");
  slots.tasks[0]!.finish();
  strictEqual((await answer).result.case, "ok");
  deepStrictEqual(await peer.closed, { code: 1000, reason: "provider has left" });
  await left;
});

Deno.test("a provider leaves at the end of its time, under a task that goes on, and after one task with --once", async () => {
  await using broker = await ScriptedBroker.start();
  const slots = new HeldSlots();
  const slow = connectProvider(broker, { runInSlot: slots.run, drainMs: 50 });
  const { peer } = await broker.provider();
  const lost = run(peer).catch(({ message }) => message);
  await waitUntil(() => slots.tasks.length === 1);
  await slow.leave();
  strictEqual(await lost, "connection lost");
  strictEqual(slots.tasks[0]!.signal.aborted, true);

  await using _ = connectProvider(broker, { runInSlot: echoingSlot, once: true });
  const second = await broker.provider(1);
  strictEqual((await run(second.peer)).result.case, "ok");
  deepStrictEqual(await second.peer.closed, { code: 1000, reason: "provider has left" });
});

Deno.test("a provider comes back to a broker that has closed with 1011", async () => {
  await using broker = await ScriptedBroker.start();
  await using _ = connectProvider(broker, { runInSlot: echoingSlot });
  const { peer } = await broker.provider();
  peer.fail("can't get file listing: context canceled");
  const again = await broker.provider(1);
  strictEqual((await run(again.peer)).result.case, "ok");
  strictEqual(isMessage(again.peer.events[0]!, Event_ProviderResourcesSchema), true);
});
