/** Tests of Python tasks on their way from a client through a broker to a provider, and back. */

import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { create } from "@bufbuild/protobuf";
import type { TaskRequest } from "../../../core/client/task_request.ts";
import { WasimoffError } from "../../../core/errors.ts";
import { exited } from "../../../core/outcome.ts";
import { Python_Kind, PythonSchema } from "../../../core/protocol/gen/wasimoff/v2/wasimoff_pb.ts";
import { decodePython } from "../../../core/protocol/python_codec.ts";
import type { RunInSlot } from "../../../core/provider/provider_options.ts";
import { MemoryCluster, MODULE } from "../../support/memory_cluster.ts";
import { CollectingSink } from "../../support/slot_tasks.ts";

const PYTHON = { kind: "pickle", packages: ["numpy", "six"] } as const;
const TASK: TaskRequest = { module: MODULE, args: ["job.py", "x"], python: PYTHON };

/** Prints the task, and returns a pickle of 100,000 bytes. */
const runInSlot: RunInSlot = async (task, { stdin, stdout, stderr, artifacts, result }) => {
  await stdout.write(new TextEncoder().encode(JSON.stringify([task.python, task.args])));
  await result?.write(new Uint8Array(100_000).fill(7));
  for (const sink of [stdout, stderr, artifacts, result]) sink?.end();
  stdin?.cancel(new WasimoffError("canceled", "over"));
  return { outcome: exited(0), durationMs: 1, memoryBytes: 65_536 };
};

const streams = () => ({
  stdout: new CollectingSink(),
  stderr: new CollectingSink(),
  result: new CollectingSink(),
});

Deno.test("a Python task runs where Python is offered, and its result comes back", async () => {
  await using cluster = new MemoryCluster();
  await cluster.provider(() => Promise.reject(new Error("not here")), { name: "plain" });
  await cluster.provider(runInSlot, { name: "snake", python: "0.27.2" });
  const { client } = await cluster.client();
  const io = streams();
  const { outcome, provider } = await client.run(TASK, io);
  deepStrictEqual([outcome, provider], [exited(0), "snake"]);
  deepStrictEqual(JSON.parse(io.stdout.text), [PYTHON, ["job.py", "x"]]);
  strictEqual(io.result.ending, "end");
  deepStrictEqual(io.result.bytes, new Uint8Array(100_000).fill(7));
});

Deno.test("a client that wants no result gets none, and one without Python neither", async () => {
  await using cluster = new MemoryCluster();
  const asked: boolean[][] = [];
  await cluster.provider((task, io, signal) => {
    asked.push([task.python !== undefined, io.result !== undefined]);
    return runInSlot(task, io, signal);
  }, { python: "0.27.2" });
  const { client } = await cluster.client();
  const { result: _, ...io } = streams();
  strictEqual((await client.run(TASK, io)).outcome.status, 0);
  const { python: _python, ...plain } = TASK;
  const all = streams();
  strictEqual((await client.run(plain, all)).outcome.status, 0);
  deepStrictEqual([asked, all.result.size, all.result.ending], [[[true, false], [false, false]], 0, "end"]);
});

Deno.test("without a provider that offers Python a task is told so", async () => {
  await using cluster = new MemoryCluster();
  await cluster.provider(runInSlot);
  const { client } = await cluster.client();
  const { outcome } = await client.run({ ...TASK, immediate: true }, streams());
  strictEqual(
    outcome.message,
    'no idle provider: no provider runs Python: it is offered by "wasimoff provider --python"',
  );
});

Deno.test("decodePython() refuses what is neither script nor pickle, and endless lists of packages", () => {
  const decode = (kind: number, packages: string[]) => () =>
    decodePython(create(PythonSchema, { kind: kind as Python_Kind, packages }));
  const packages = Array.from({ length: 257 }, () => "six");
  for (const odd of [decode(0, []), decode(9, []), decode(Python_Kind.SCRIPT, packages)]) {
    throws(odd, { code: "invalid_argument" });
  }
  deepStrictEqual(decode(Python_Kind.SCRIPT, ["six"])(), { kind: "script", packages: ["six"] });
});
