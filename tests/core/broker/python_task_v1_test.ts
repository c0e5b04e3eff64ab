/** Tests of Python tasks as the existing clients ask for them. */

import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { deepStrictEqual, rejects, strictEqual, throws } from "node:assert/strict";
import type { AttemptRequest } from "../../../core/broker/provider_peer.ts";
import { decodePythonTaskV1 } from "../../../core/broker/python_task_v1.ts";
import { programOf } from "../../../core/protocol/python_codec.ts";
import { exited, failed, type Outcome } from "../../../core/outcome.ts";
import {
  Task_Pyodide_ParamsSchema,
  Task_Pyodide_RequestSchema,
} from "../../../core/protocol/gen/wasimoff/v1/messages_pb.ts";
import { type RunAttempt, tasksApp } from "../../support/tasks_app.ts";
import { zipFiles } from "../../support/zip_files.ts";
import { ref } from "./dispatcher/test_dispatcher.ts";

type Params = Exclude<MessageInitShape<typeof Task_Pyodide_ParamsSchema>, { $typeName: string }>;

const CALL = { identity: "local", requester: "10.0.0.1:5", signal: new AbortController().signal } as const;
const params = (fields: Params) => create(Task_Pyodide_ParamsSchema, fields);

/** Runs a request; the provider ends the attempt so, after writing a result. */
async function run(fields: Params, outcome: Outcome = exited(0)) {
  const attempts: AttemptRequest[] = [];
  const runAttempt: RunAttempt = async (attempt) => {
    attempts.push(attempt);
    await attempt.io.result!.write(new Uint8Array([0x80, 4]));
    for (const sink of [attempt.io.stdout, attempt.io.stderr, attempt.io.artifacts, attempt.io.result]) {
      sink?.end();
    }
    attempt.answered();
    return { outcome, durationMs: 1, pythonVersion: "0.27.2" };
  };
  using app = await tasksApp(runAttempt, { python: "0.27.2" });
  const request = create(Task_Pyodide_RequestSchema, { info: { reference: "mine" }, params: fields });
  const { info, result } = await app.tasks.runPyodide(request, CALL);
  const spec = attempts[0]?.spec;
  const program = spec === undefined ? null : await app.files.bytes(spec.module);
  return { info, result, spec, program };
}

Deno.test("a script is stored as the program of its task, with all that belongs to it", async () => {
  const rootfs = { blob: await zipFiles({ "a.txt": "a" }) };
  const { info, result, spec, program } = await run({
    ...{ run: { case: "script", value: "6 * 'ü'" }, packages: ["numpy"], envs: ["K=v"], rootfs },
    artifacts: ["out"],
  });
  strictEqual(new TextDecoder().decode(program!), "6 * 'ü'");
  const { args, env, artifacts, preopens, python, lenientArtifacts } = spec!;
  deepStrictEqual([args, env, artifacts, lenientArtifacts], [["script.py"], ["K=v"], ["out"], false]);
  deepStrictEqual(python, { kind: "script", packages: ["numpy"] });
  deepStrictEqual(preopens.map(({ guest, readOnly }) => [guest, readOnly]), [["/mnt", false]]);
  deepStrictEqual([info?.reference, info?.requester, info?.provider], ["mine", "10.0.0.1:5", "p"]);
  strictEqual(result.case, "ok");
  if (result.case !== "ok") return;
  deepStrictEqual([result.value.version, [...result.value.pickle!]], ["0.27.2", [0x80, 4]]);
});

Deno.test("a pickle passes unread", async () => {
  const pickle = new Uint8Array([0x80, 4, 0xff]);
  const { spec, program } = await run({ run: { case: "pickle", value: pickle } });
  deepStrictEqual([spec!.python?.kind, [...program!]], ["pickle", [...pickle]]);
});

const ENDS: readonly [Outcome, string][] = [
  [failed("trap", "guest", "Traceback\nValueError: no", 1), "Traceback\nValueError: no"],
  [failed("memory", "guest", "MemoryError"), "memory: MemoryError"],
  [failed("rejected", "provider", 'package not found: "x"'), 'rejected: package not found: "x"'],
  [exited(3), "SystemExit: 3"],
];
for (const [outcome, error] of ENDS) {
  Deno.test(`an end by ${outcome.reason} is told as ${JSON.stringify(error)}`, async () => {
    const { result } = await run({ run: { case: "script", value: "1" } }, outcome);
    deepStrictEqual(result, { case: "error", value: error });
  });
}

Deno.test("a task without a program, with odd texts or endless packages is refused", async () => {
  await rejects(run({}), { code: "invalid_argument", message: "task has neither a script nor a pickle" });
  throws(() => programOf(params({})), { code: "invalid_argument" });
  const parts = { kind: "script", files: { module: ref(1), rootfs: null } } as const;
  const decode = (fields: Params) => () => decodePythonTaskV1(params(fields), undefined, parts);
  for (const odd of [{ envs: ["a\0"] }, { packages: Array.from({ length: 300 }, () => "x") }]) {
    throws(decode(odd), { code: "invalid_argument" });
  }
  deepStrictEqual(decode({})().preopens, []);
});
