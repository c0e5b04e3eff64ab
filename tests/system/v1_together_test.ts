/** Our own programs in the words of the existing ones: real slots, at an existing broker and at ours. */

import { create } from "@bufbuild/protobuf";
import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { slotCommands } from "../../commands/slot_commands.ts";
import { ClientV1 } from "../../core/client/client_v1.ts";
import type { TaskRequest } from "../../core/client/task_request.ts";
import { connectClient } from "../../core/host/connect_client.ts";
import { runProviderHost } from "../../core/host/provider_host.ts";
import { silent } from "../../core/log.ts";
import { exited } from "../../core/outcome.ts";
import {
  Task_Wasip1_RequestSchema,
  type Task_Wasip1_Response,
} from "../../core/protocol/gen/wasimoff/v1/messages_pb.ts";
import { CollectingSink } from "../../core/provider/collecting_sink.ts";
import { unpackZip } from "../../commands/unpack_zip.ts";
import { brokerUrls, GUEST, HostCluster } from "../support/host_cluster.ts";
import { ScriptedBroker } from "../support/scripted_broker_v1.ts";
import { zipFiles } from "../support/zip_files.ts";

const BINARY = "wasimoff_provider_v1_protobuf";
const JSON_TEXT = "wasimoff_provider_v1_json";
const text = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);

Deno.test("a provider with real slots runs programs, files and all, for an existing broker", async () => {
  await using broker = await ScriptedBroker.start();
  const stop = new AbortController();
  const done = runProviderHost({
    broker: { http: new URL(`${broker.url}/`), webSocket: new URL(`ws://127.0.0.1:${broker.port}/`) },
    token: null,
    storage: null,
    agent: "wasimoff/test",
    commands: slotCommands(),
    name: "a host",
    labels: {},
    slots: 1,
    taskMemoryBytes: 512 * 1024 * 1024,
    taskTimeoutMs: 500,
    taskDiskBytes: 64 * 1024 * 1024,
    once: false,
    drainMs: 1_000,
    logger: silent,
    signal: stop.signal,
  });
  try {
    const { peer, id } = await broker.provider();
    strictEqual(id, "a host");
    const binary = { ref: broker.storage.put(GUEST) };
    const rootfs = { ref: broker.storage.put(await zipFiles({ "in/f": "a file" })) };
    const run = async (args: string[], params: { stdin?: Uint8Array; artifacts?: string[] } = {}) => {
      const task = { info: { id: "1" }, params: { binary, rootfs, args: ["guest", ...args], ...params } };
      const payload = create(Task_Wasip1_RequestSchema, task);
      return (await peer.ask(Task_Wasip1_RequestSchema, payload) as Task_Wasip1_Response).result;
    };
    const echoed = await run(["echo"], { stdin: new TextEncoder().encode("through") });
    strictEqual(echoed.case === "ok" && text(echoed.value.stdout), "through");
    const read = await run(["cat", "/in/f"]);
    strictEqual(read.case === "ok" && text(read.value.stdout), "a file");
    const exit = await run(["exit", "-1"]);
    strictEqual(exit.case === "ok" && exit.value.status, -1);
    deepStrictEqual(await run(["trap"]), { case: "error", value: "trap: unreachable" });
    const looped = await run(["loop"]);
    strictEqual(looped.case === "error" && looped.value.startsWith("timeout: "), true);

    const written = await run(["write", "/out", "made"], { artifacts: ["/out", "in", "nowhere"] });
    const directory = await Deno.makeTempDir();
    try {
      const zip = written.case === "ok" ? written.value.artifacts?.blob : undefined;
      await unpackZip(zip as Uint8Array<ArrayBuffer>, `${directory}/all`, { onSkippedLink: () => {} });
      const names = Array.from(Deno.readDirSync(`${directory}/all`), ({ name }) => name).toSorted();
      deepStrictEqual(names, ["in", "nowhere", "out"]);
      deepStrictEqual([...Deno.readDirSync(`${directory}/all/in`)], []);
      strictEqual(await Deno.readTextFile(`${directory}/all/out`), "made");
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  } finally {
    stop.abort();
    await done;
  }
});

for (const [provider, client] of [[BINARY, JSON_TEXT], [JSON_TEXT, BINARY]] as const) {
  Deno.test(`client, broker and provider of ours do all in v1: ${client} to ${provider}`, async () => {
    await using cluster = await HostCluster.start();
    await cluster.provider({ protocols: [provider] });
    const module = await cluster.store();
    const signal = new AbortController().signal;
    const reached = await connectClient({
      ...{
        broker: brokerUrls(cluster.port),
        token: null,
        agent: "test",
        protocols: [client],
        logger: silent,
        signal,
      },
    });
    const run = async (task: Omit<TaskRequest, "module">, input = "") => {
      const stdout = new CollectingSink(1_000_000);
      const stderr = new CollectingSink(1_000_000);
      const stdinBytes = new TextEncoder().encode(input);
      const result = await reached.run({ module, ...task }, { stdinBytes, stdout, stderr });
      return { ...result, stdout: text(stdout.bytes()) };
    };
    try {
      strictEqual(reached instanceof ClientV1, true);
      const { outcome, stdout, provider: name, trace } = await run(
        { args: ["guest", "echo"], trace: true },
        "hello",
      );
      deepStrictEqual([outcome, stdout, name], [exited(0), "hello", "p"]);
      deepStrictEqual(
        trace?.events.map(({ event }) => event),
        [11, 21, 22, 23, 24, 31, 32, 33, 34, 35, 36, 37, 25, 26, 12],
      );
      const trapped = await run({ args: ["guest", "trap"] });
      deepStrictEqual([trapped.outcome.reason, trapped.outcome.status], ["trap", 134]);
      const failed = await run({ args: ["guest", "exit", "9"] });
      deepStrictEqual(failed.outcome, exited(9));
    } finally {
      reached.close();
    }
  });
}
