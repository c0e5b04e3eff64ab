/** `wasimoff submit` at an existing broker, through the real command line (wasimoff-v1 5). */

import { create, isMessage } from "@bufbuild/protobuf";
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import {
  type Task_Wasip1_Request,
  Task_Wasip1_RequestSchema,
  Task_Wasip1_ResponseSchema,
} from "../../core/protocol/gen/wasimoff/v1/messages_pb.ts";
import { CommandRun, type CommandRunOptions, runCommand } from "../support/command_run.ts";
import { waitUntil } from "../support/open_server.ts";
import { connectProvider, echoingSlot, HeldSlots } from "../support/provider_v1.ts";
import { ScriptedBroker } from "../support/scripted_broker_v1.ts";
import type { Answer } from "../support/scripted_peer_v1.ts";

const NOOP = new URL("../../examples/noop/noop.wasm", import.meta.url).pathname;
const NOTICE = "this broker takes all input first and gives output at the end";
const BINARY = "wasimoff_provider_v1_protobuf";
const JSON_TEXT = "wasimoff_provider_v1_json";

function submit(broker: ScriptedBroker, args: readonly string[], options?: CommandRunOptions) {
  return runCommand(["submit", "--url", broker.url, ...args], options);
}

/** The task that the broker got last. */
function taskOf(broker: ScriptedBroker): Task_Wasip1_Request {
  const request = broker.clients.at(-1)?.requests.at(-1);
  ok(request !== undefined && isMessage(request, Task_Wasip1_RequestSchema));
  return request;
}

/** An answer to every task. */
function always(
  result: NonNullable<Parameters<typeof create<typeof Task_Wasip1_ResponseSchema>>[1]>["result"],
): Answer {
  return () =>
    Promise.resolve(
      create(Task_Wasip1_ResponseSchema, { info: { id: "7", provider: "p" }, ...result && { result } }),
    );
}

for (const protocol of [BINARY, JSON_TEXT]) {
  Deno.test(`submit runs a task at an existing broker, over ${protocol}`, async () => {
    await using broker = await ScriptedBroker.start({ protocols: [protocol] });
    await using _ = connectProvider(broker, { runInSlot: echoingSlot });
    const flags = ["-e", "K=v", "--trace", NOOP, "--", "a b", "3"];
    const { code, stdout, stderr } = await submit(broker, flags, { stdin: "input" });
    deepStrictEqual([code, stdout], [3, "noop.wasm a b 3"]);
    match(stderr, /^wasimoff: this broker takes all input first and gives output at the end$/m);
    match(stderr, /^input/m);
    strictEqual(stderr.split(NOTICE).length, 2, "said once");
    const { info, params } = taskOf(broker);
    const ref = [...broker.storage.files.keys()][0]!;
    deepStrictEqual(
      [
        params?.args,
        params?.envs,
        params?.binary?.ref,
        params?.binary?.blob,
        params?.rootfs,
        params?.artifacts,
      ],
      [["noop.wasm", "a b", "3"], ["K=v"], ref, undefined, undefined, []],
    );
    strictEqual(info?.trace?.events[0]?.event, 11);
    deepStrictEqual(broker.storage.log.slice(0, 2), [`HEAD /api/storage/${ref}`, "POST /api/storage/upload"]);
    const names = Array.from(stderr.matchAll(/ (client|broker|provider) +(\w+)$/gm), ([, , name]) => name);
    deepStrictEqual([names[0], names.at(-1), names.length], [
      "ClientTransmitRequest",
      "ClientReceivedResponse",
      15,
    ]);
    match(stderr, /provider {2}ProviderWorkerExecute/);
  });
}

Deno.test("submit --json and -o bring everything of an existing broker's answer", async () => {
  const blob = Deno.readFileSync(
    new URL("../testdata/slot/guest.wasm", import.meta.url),
  );
  await using broker = await ScriptedBroker.start({
    answer: always({
      case: "ok",
      value: {
        $typeName: "wasimoff.v1.Task.Wasip1.Output",
        status: -1,
        stdout: new TextEncoder().encode("out"),
        stderr: new TextEncoder().encode("err"),
        artifacts: { $typeName: "wasimoff.v1.File", blob },
      },
    }),
  });
  const directory = await Deno.makeTempDir();
  try {
    const target = `${directory}/result.zip`;
    const flags = ["-q", "--json", "--artifact", "./out", "--artifact", "/b", "-o", target, NOOP];
    const { code, stdout, stderr } = await submit(broker, flags);
    const lines = stdout.trim().split("\n").map((line) => JSON.parse(line));
    deepStrictEqual(lines.slice(0, 2), [{ schema: 1, stdout: "out" }, { schema: 1, stderr: "err" }]);
    const { durationMs, ...result } = lines[2].result;
    ok(durationMs > 0);
    deepStrictEqual(result, {
      ...{ origin: "guest", reason: "exit", status: -1, message: "" },
      ...{ task: "7", provider: "p", attempts: 1, queuedMs: 0 },
    });
    deepStrictEqual([code, stderr], [255, ""]);
    deepStrictEqual(taskOf(broker).params?.artifacts, ["out", "/b"]);
    deepStrictEqual(await Deno.readFile(target), blob);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("submit --dir makes the root of a guest at an existing broker, and says what comes back empty", async () => {
  await using broker = await ScriptedBroker.start();
  await using _ = connectProvider(broker, { runInSlot: echoingSlot });
  const directory = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${directory}/f`, "content");
    const { code } = await submit(broker, ["--dir", `${directory}::/`, NOOP]);
    strictEqual(code, 0);
    const { rootfs } = taskOf(broker).params!;
    strictEqual(broker.storage.files.get(rootfs!.ref!)!.media, "application/zip");
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

/** What a broker answers, and what comes of it: status, reason, message. */
const ENDS: Readonly<
  Record<string, readonly [answer: Answer, code: number, reason: string, message: RegExp]>
> = {
  "a trap": [always({ case: "error", value: "RuntimeError: unreachable" }), 134, "trap", /unreachable/],
  "a timeout of one of ours": [
    always({ case: "error", value: "timeout: too long" }),
    124,
    "timeout",
    /^too long$/,
  ],
  "no room": [
    always({ case: "error", value: "qos: no idle workers for immediate mode" }),
    125,
    "rejected",
    /^qos/,
  ],
  "a missing ZIP": [
    always({ case: "error", value: "zip not found in storage" }),
    127,
    "rejected",
    /^zip not/,
  ],
  "a bad module": [
    always({ case: "error", value: "CompileError: WebAssembly.Module()" }),
    126,
    "rejected",
    /^Compile/,
  ],
  "an unknown file": [
    () => Promise.reject(new Error("Ref not found in storage")),
    127,
    "rejected",
    /^Ref not found/,
  ],
  "a full queue": [() => Promise.reject(new Error("429: Queue Full")), 125, "rejected", /^429/],
  "no provider": [() => Promise.reject(new Error("provider.run failed: x")), 125, "lost", /^provider.run/],
  "no result": [always({ case: undefined }), 125, "lost", /without a result/],
};

for (const [name, [answer, code, reason, message]] of Object.entries(ENDS)) {
  Deno.test(`submit at an existing broker tells of ${name}`, async () => {
    await using broker = await ScriptedBroker.start({ answer });
    const end = await submit(broker, ["--json", "-q", NOOP]);
    const { result } = JSON.parse(end.stdout.trim().split("\n").at(-1)!);
    deepStrictEqual([end.code, result.reason], [code, reason]);
    match(result.message, message);
  });
}

Deno.test("submit refuses what an existing broker would not keep, before anything is stored or runs", async () => {
  await using broker = await ScriptedBroker.start();
  const { code, stderr } = await submit(broker, ["--memory", "64MiB", "--deterministic", NOOP]);
  strictEqual(code, 125);
  match(
    stderr,
    /^wasimoff: this broker speaks wasimoff_v1, which cannot carry a memory limit, a deterministic run: leave/m,
  );
  deepStrictEqual([broker.storage.log, broker.clients[0]!.requests], [[], []]);
});

Deno.test("submit takes 16 MiB of input to an existing broker and no more", async () => {
  await using broker = await ScriptedBroker.start({
    answer: always({ case: "ok", value: { $typeName: "wasimoff.v1.Task.Wasip1.Output" } }),
  });
  const most = new Uint8Array(16 * 1024 * 1024);
  strictEqual((await submit(broker, [NOOP], { stdin: most })).code, 0);
  strictEqual(taskOf(broker).params?.stdin?.length, most.length);
  const { code, stderr } = await submit(broker, [NOOP], { stdin: new Uint8Array(most.length + 1) });
  strictEqual(code, 125);
  match(stderr, /this broker takes at most 16 MiB of input/);
});

Deno.test("Ctrl-C and --timeout cancel a task at an existing broker by closing the connection", async () => {
  await using broker = await ScriptedBroker.start();
  const slots = new HeldSlots();
  await using _ = connectProvider(broker, { runInSlot: slots.run });
  {
    await using run = new CommandRun(["submit", "--url", broker.url, NOOP]);
    await waitUntil(() => slots.tasks.length === 1);
    run.kill("SIGINT");
    strictEqual((await run.end()).code, 130);
    await waitUntil(() => slots.tasks[0]!.signal.aborted);
    strictEqual(slots.tasks[0]!.signal.aborted, true);
    deepStrictEqual(await broker.clients[0]!.closed, { code: 1000, reason: "client has left" });
  }
  const { code, stderr } = await submit(broker, ["--timeout", "300ms", NOOP]);
  strictEqual(code, 124);
  match(stderr, /the timeout counts from now on, waiting included/);
  await waitUntil(() => slots.tasks[1]!.signal.aborted);
  strictEqual(slots.tasks[1]!.signal.aborted, true);
});
