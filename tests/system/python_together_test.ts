/** Tests of Python through a whole broker, in the words of ours and of the existing programs. */

import { deepStrictEqual, match } from "node:assert/strict";
import { connectClient } from "../../core/host/connect_client.ts";
import { silent } from "../../core/log.ts";
import { exited } from "../../core/outcome.ts";
import { PYTHON_MEDIA } from "../../core/storage/media.ts";
import { brokerUrls, HostCluster } from "../support/host_cluster.ts";
import { CollectingSink } from "../support/slot_tasks.ts";
import { PLAIN_CLOUDPICKLE, wheelDirectory } from "../support/wheel_directory.ts";
import { zipFiles } from "../support/zip_files.ts";

const V1 = ["wasimoff_provider_v1_protobuf"];
const SCRIPT = `
import os, sys
sys.path.append("/mnt")
import inside
print(inside.VALUE, os.environ["K"], sys.stdin.read())
open("out.txt", "w").write("made")
[1, 2]`;

/** What the Connect service answers to a Python task, as JSON. */
async function runPyodide(port: number, params: unknown): Promise<Record<string, unknown>> {
  const response = await fetch(`http://127.0.0.1:${port}/api/client/wasimoff.v1.Tasks/RunPyodide`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ info: { reference: "mine" }, params }),
  });
  return await response.json();
}

const base64 = (text: string) => new TextEncoder().encode(text).toBase64();

for (const [generation, options] of [["ours", {}], ["the existing ones", { protocols: V1 }]] as const) {
  Deno.test(`RunPyodide reaches a provider that speaks the protocol of ${generation}`, async () => {
    await using wheels = await wheelDirectory({ cloudpickle: PLAIN_CLOUDPICKLE });
    await using cluster = await HostCluster.start();
    await cluster.provider({ ...options, slots: 2, python: { wheels: wheels.path } });
    const { port } = cluster;
    const rootfs = { blob: (await zipFiles({ "inside.py": "VALUE = 42" })).toBase64() };
    const params = { script: SCRIPT, envs: ["K=v"], stdin: base64("input"), rootfs, artifacts: ["out.txt"] };
    const { info, ok } = await runPyodide(port, params) as {
      info: Record<string, string>;
      ok: { pickle: string; stdout: string; version: string; artifacts: { blob: string } };
    };
    deepStrictEqual([info.provider, info.reference], ["p", "mine"]);
    deepStrictEqual([ok.stdout, ok.version], [base64("42 v input\n"), "0.27.2"]);
    // PROTO 4, FRAME of 9, EMPTY_LIST MEMOIZE MARK BININT1 1 BININT1 2 APPENDS STOP
    deepStrictEqual([...Uint8Array.fromBase64(ok.pickle)].slice(0, 3), [0x80, 4, 0x95]);
    match(new TextDecoder("latin1").decode(Uint8Array.fromBase64(ok.artifacts.blob)), /^PK.*out\.txt/s);
    const raised = await runPyodide(port, { script: "raise ValueError('no')" });
    match(raised.error as string, /^Traceback[^]*ValueError: no$/);
    const missing = await runPyodide(port, { script: "1", packages: ["nothing-like-it"] });
    match(missing.error as string, /package not found: "nothing-like-it"$/);
  });
}

Deno.test("our client runs scripts in the words of both generations", async () => {
  await using cluster = await HostCluster.start();
  await cluster.provider({ python: { wheels: null } });
  const program = new TextEncoder().encode(
    "import sys\nprint(sys.argv[0], 6 * 7)",
  );
  const upload = await fetch(`http://127.0.0.1:${cluster.port}/api/storage/upload`, {
    ...{ method: "POST", body: program, headers: { "content-type": PYTHON_MEDIA } },
  });
  const module = (await upload.text()).trim();
  for (const protocols of [undefined, V1]) {
    const client = await connectClient({
      ...{
        broker: brokerUrls(cluster.port),
        token: null,
        agent: "test",
        logger: silent,
        signal: new AbortController().signal,
      },
      ...(protocols && { protocols }),
    });
    const [stdout, stderr] = [new CollectingSink(), new CollectingSink()];
    const python = { kind: "script", packages: [] } as const;
    const task = { module, python, program, args: ["script.py"] };
    const { outcome } = await client.run(task, { stdout, stderr });
    deepStrictEqual([outcome, stdout.text], [exited(0), "script.py 42\n"]);
    client.close();
  }
});
