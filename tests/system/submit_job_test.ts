/** `wasimoff submit --job`, at an existing broker. */

import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { HostCluster } from "../support/host_cluster.ts";
import { runCommand } from "../support/command_run.ts";
import { wasmLike } from "../support/chunks.ts";
import { connectProvider, echoingSlot } from "../support/provider_v1.ts";
import { ScriptedBroker } from "../support/scripted_broker_v1.ts";

/** Runs a task file at a broker that has "t.wasm". */
async function submitJob(job: unknown, ...flags: readonly string[]) {
  await using broker = await ScriptedBroker.start();
  await using _ = connectProvider(broker, {
    runInSlot: async (task, io, signal) => {
      await new Promise((resolve) => setTimeout(resolve, task.args[1] === "slow" ? 100 : 0));
      return await echoingSlot(task, io, signal);
    },
  });
  broker.storage.put(wasmLike(50), "t.wasm");
  const path = await Deno.makeTempFile({ suffix: ".json" });
  try {
    await Deno.writeTextFile(path, JSON.stringify(job));
    return await runCommand(["submit", "--url", broker.url, "--job", path, ...flags]);
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("submit --job runs one task as if its flags had been given", async () => {
  const job = { params: { binary: { ref: "t.wasm" }, args: ["t", "5"], stdin: btoa("in") } };
  const { code, stdout, stderr } = await submitJob(job);
  deepStrictEqual([code, stdout], [5, "t 5"]);
  match(stderr, /gives output at the end\nin$/);
});

Deno.test("submit --job tells of several tasks in their order, says its notice once, and counts those that failed", async () => {
  const job = {
    bin: "t.wasm",
    exec: [{ args: ["slow\n"] }, { args: ["3"] }, { args: ["0"] }, { args: ["4"] }],
  };
  const { code, stdout, stderr } = await submitJob(job);
  deepStrictEqual([code, stdout], [2, "t.wasm slow\nt.wasm 3t.wasm 0t.wasm 4"]);
  strictEqual(stderr.split("gives output at the end").length, 2);
});

Deno.test("submit --job --json gives a result for each task, with its number", async () => {
  const job = {
    parent: { binary: { ref: "t.wasm" } },
    tasks: [{ args: ["slow", "1"] }, { args: ["x", "2"] }],
  };
  const { code, stdout } = await submitJob(job, "--json");
  const lines = stdout.trim().split("\n").map((line) => JSON.parse(line));
  strictEqual(code, 2);
  deepStrictEqual(lines.filter(({ stdout }) => stdout !== undefined).map(({ stdout }) => stdout), [
    "slow 1",
    "x 2",
  ]);
  deepStrictEqual(
    lines.filter(({ result }) => result !== undefined).map(({ number, result }) => [number, result.status]),
    [[1, 1], [2, 2]],
  );
});

Deno.test("submit --job refuses flags and arguments that the file has, and files that are none", async () => {
  const job = { params: { binary: { ref: "t.wasm" } } };
  for (
    const [flags, message] of [
      [["-e", "A=1"], /--job says what --env would say/],
      [["--", "x"], /--job names the module and its arguments/],
      [["x.wasm"], /--job names the module and its arguments/],
    ] as const
  ) {
    const { code, stderr } = await submitJob(job, ...flags);
    strictEqual(code, 2);
    match(stderr, message);
  }
  const { code, stderr } = await submitJob([]);
  strictEqual(code, 2);
  match(stderr, /^wasimoff: task file ".*": it is no task: write an object$/m);
});

Deno.test("submit --job runs task files at our own broker, through v2", async () => {
  await using cluster = await HostCluster.start();
  await cluster.provider();
  const module = await cluster.store();
  const directory = await Deno.makeTempDir();
  try {
    const write = (args: readonly string[]) => ({
      args: ["g", "write", ...args],
      artifacts: [`/${args[0]}`],
    });
    const job = {
      parent: { binary: { ref: module } },
      tasks: [write(["a", "one"]), write(["b", "two", "7"])],
    };
    await Deno.writeTextFile(`${directory}/job.json`, JSON.stringify(job));
    const url = `http://127.0.0.1:${cluster.port}`;
    const flags = [
      "--url",
      url,
      "--job",
      `${directory}/job.json`,
      "-o",
      `${directory}/out`,
      "--json",
      "--trace",
    ];
    const { code, stdout, stderr } = await runCommand(["submit", ...flags]);
    deepStrictEqual([code, stderr], [1, ""]);
    const results = stdout.trim().split("\n").map((line) => JSON.parse(line));
    deepStrictEqual(results.map(({ number, result }) => [number, result.status]), [[1, 0], [2, 7]]);
    deepStrictEqual(results[0].result.trace.events.at(-1).event, "ClientReceivedResponse");
    strictEqual(await Deno.readTextFile(`${directory}/out/1/a`), "one");
    strictEqual(await Deno.readTextFile(`${directory}/out/2/b`), "two");
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("submit --job says which task failed, and fails a task whose artifacts cannot be kept", async () => {
  await using cluster = await HostCluster.start();
  await cluster.provider();
  const module = await cluster.store();
  const directory = await Deno.makeTempDir();
  try {
    const job = {
      parent: { binary: { ref: module }, args: ["g", "write", "a", "text"], artifacts: ["/a"] },
      tasks: [{}, {}, { binary: { ref: "absent" } }],
    };
    await Deno.writeTextFile(`${directory}/job.json`, JSON.stringify(job));
    await Deno.mkdir(`${directory}/out`);
    await Deno.writeTextFile(`${directory}/out/2`, "in the way");
    const flags = ["--url", `http://127.0.0.1:${cluster.port}`, "-o", `${directory}/out`];
    const { code, stderr } = await runCommand(["submit", "--job", `${directory}/job.json`, ...flags]);
    strictEqual(code, 2, stderr);
    match(stderr, /^wasimoff: task 2: .+\nwasimoff: task 3: file "absent" is not stored.*\n$/);
    strictEqual(await Deno.readTextFile(`${directory}/out/1/a`), "text");
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
