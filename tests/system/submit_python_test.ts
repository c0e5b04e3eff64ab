/** Tests of `submit --python` through the real command line. */

import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import { create, isMessage } from "@bufbuild/protobuf";
import {
  Task_Pyodide_RequestSchema,
  Task_Pyodide_ResponseSchema,
} from "../../core/protocol/gen/wasimoff/v1/messages_pb.ts";
import { runCommand } from "../support/command_run.ts";
import { HostCluster } from "../support/host_cluster.ts";
import { ScriptedBroker } from "../support/scripted_broker_v1.ts";

Deno.test("submit --python runs a script, gives it arguments and input, and tells its end", async () => {
  await using cluster = await HostCluster.start();
  await cluster.provider({ python: { wheels: null } });
  const directory = await Deno.makeTempDir();
  try {
    const script = `${directory}/job.py`;
    await Deno.writeTextFile(script, "import sys\nprint(sys.argv, sys.stdin.read())\nsys.exit(3)");
    const url = ["submit", "--url", `http://127.0.0.1:${cluster.port}`, "--python"];
    const ran = await runCommand([...url, script, "--", "a b"], { stdin: "input" });
    deepStrictEqual([ran.code, ran.stdout], [3, "['job.py', 'a b'] input\n"]);
    const raised = await runCommand([...url, "-"], { stdin: "def f(): raise ValueError('no')\nf()" });
    deepStrictEqual([raised.code, raised.stdout], [1, ""]);
    match(raised.stderr, /^wasimoff: Traceback.*\n(wasimoff: .*\n)+wasimoff: ValueError: no\n$/);
    const absent = await runCommand([...url, `${directory}/nothing.py`]);
    strictEqual(absent.code, 127);
    for (const flags of [["--deterministic"], ["--disk", "1MiB"], ["--job", "x.json"]]) {
      const wrong = await runCommand([...url, ...flags, script]);
      strictEqual(wrong.code, 2, wrong.stderr);
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("submit --python sends the script itself to an existing broker, which stores none", async () => {
  await using broker = await ScriptedBroker.start({
    answer: () =>
      Promise.resolve(create(Task_Pyodide_ResponseSchema, { result: { case: "error", value: "E: no" } })),
  });
  const url = ["submit", "--url", broker.url, "--python"];
  const { code, stderr } = await runCommand([...url, "-e", "K=v", "-"], { stdin: "print(1)" });
  strictEqual(code, 1);
  match(stderr, /^wasimoff: E: no$/m);
  const request = broker.clients.at(-1)?.requests.at(-1);
  ok(request !== undefined && isMessage(request, Task_Pyodide_RequestSchema));
  deepStrictEqual(request.params?.run, { case: "script", value: "print(1)" });
  deepStrictEqual(request.params?.envs, ["K=v"]);
  deepStrictEqual(broker.storage.log, []);
  const refused = await runCommand([...url, "-", "--", "argument"], { stdin: "print(1)" });
  strictEqual(refused.code, 125);
  match(refused.stderr, /cannot carry arguments of a Python program/);
});

/** What existing providers tell of a program that ends itself, and the status that it meant. */
const EXITS: Readonly<Record<string, number>> = {
  "SystemExit: 3": 3,
  'Traceback (most recent call last):\n  File "x", line 1\nSystemExit: -1\n': 255,
  "SystemExit": 0,
  "SystemExit: no data": 1,
  "ValueError: SystemExit: 3": 1,
};

Deno.test("submit --python at an existing broker ends as the program wanted", async () => {
  for (const [value, status] of Object.entries(EXITS)) {
    await using broker = await ScriptedBroker.start({
      answer: () =>
        Promise.resolve(create(Task_Pyodide_ResponseSchema, { result: { case: "error", value } })),
    });
    const { code, stderr } = await runCommand(["submit", "--url", broker.url, "--python", "-"], {
      stdin: "1",
    });
    strictEqual(code, status, value);
    match(stderr, /a Python program that raises or exits loses its output$/m);
  }
});
