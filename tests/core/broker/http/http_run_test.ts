import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { exited, failed } from "../../../../core/outcome.ts";
import { call, OTHER_TOKEN } from "../../../support/broker_app.ts";
import { echo, type RunAttempt, tasksApp } from "../../../support/tasks_app.ts";

const run = (
  app: Parameters<typeof call>[0],
  name: string,
  headers: Record<string, string> = {},
  body = "",
) => call(app, `/api/client/run/${name}`, { method: "POST", body, headers });

Deno.test("POST /api/client/run gives the task what the headers say, and answers stderr before stdout", async () => {
  let seen: unknown;
  using tasks = await tasksApp((attempt) => {
    const { args, env, preopens, artifacts, lenientArtifacts, outputBytes, deterministic } = attempt.spec;
    seen = { args, env, preopens, artifacts, lenientArtifacts, outputBytes, deterministic };
    return echo(attempt);
  });
  await tasks.names.set("zip", tasks.module, "local");
  const headers = {
    "X-Args": "a 'b c'",
    "x-env-path": "/bin",
    "X-ROOTFS-REF": "zip",
    "x-artifact": "out",
    "content-type": "text/x",
    "content-length": "4",
  };
  const answer = await run(tasks.app, "module", headers, "body");
  deepStrictEqual(seen, {
    args: ["module", "a", "b c"],
    env: ["PATH=/bin", "CONTENT_LENGTH=4", "CONTENT_TYPE=text/x"],
    preopens: [{ guest: "/", zip: tasks.module, readOnly: false }],
    artifacts: ["out"],
    lenientArtifacts: true,
    outputBytes: 64 * 1024 * 1024,
    deterministic: false,
  });
  strictEqual(answer.status, 200);
  strictEqual(await answer.text(), "err\nbody");
  const own = [...answer.headers].filter(([name]) => name.startsWith("x-wasimoff"));
  deepStrictEqual(own, [
    ["x-wasimoff-artifacts", "A".repeat(40)],
    ["x-wasimoff-provider", "p"],
    ["x-wasimoff-result", "Ok"],
    ["x-wasimoff-status", "0"],
  ]);
  strictEqual(answer.headers.get("content-type"), "text/plain; charset=utf-8");
  strictEqual(answer.headers.get("content-security-policy"), "sandbox");
});

/** Ends with an outcome and without a byte. */
const endsWith = (outcome: ReturnType<typeof exited>): RunAttempt => ({ io }) => {
  for (const sink of [io.stdout, io.stderr, io.artifacts]) sink?.end();
  return Promise.resolve({ outcome, durationMs: 1 });
};

Deno.test("any exit status is a result, and is signed", async () => {
  for (const [status, header] of [[3, "3"], [0xffffffff, "-1"], [-7, "-7"]] as const) {
    using tasks = await tasksApp(endsWith(exited(status)));
    const answer = await run(tasks.app, "module");
    deepStrictEqual([answer.status, answer.headers.get("x-wasimoff-status")], [200, header]);
  }
});

Deno.test("a task that failed is answered with its error", async () => {
  using tasks = await tasksApp(endsWith(failed("memory", "guest", "out of it")));
  const answer = await run(tasks.app, "module");
  deepStrictEqual([answer.status, await answer.text()], [200, "memory: out of it"]);
  deepStrictEqual(answer.headers.get("x-wasimoff-result"), "Error");
});

Deno.test("artifacts that no header can carry are left out, and said to be", async () => {
  using tasks = await tasksApp(async ({ io }) => {
    await io.artifacts?.write(new Uint8Array(60_000));
    for (const sink of [io.stdout, io.stderr, io.artifacts]) sink?.end();
    return { outcome: exited(0), durationMs: 1 };
  });
  const { headers } = await run(tasks.app, "module", { "x-artifact": "large" });
  strictEqual(headers.get("x-wasimoff-artifacts"), null);
  strictEqual(headers.get("x-wasimoff-artifacts-omitted"), "60000 bytes do not fit: use RunWasip1");
});

Deno.test("requests that cannot be carried out get their own status and a plain text", async () => {
  using full = await tasksApp(null, { maxQueue: 0 });
  using tasks = await tasksApp();
  const table: [name: string, headers: Record<string, string>, status: number, text: RegExp][] = [
    ["nothing", {}, 404, /^Ref not found in storage\n$/],
    [`sha256:${"0".repeat(64)}`, {}, 404, /^Ref not found/],
    [`SHA256:${"0".repeat(64)}`, {}, 400, /looks like a reference/],
    ["module", { "x-args": '"' }, 400, /^cannot split the arguments/],
    ["module", { "x-rootfs-ref": "nothing" }, 404, /^Ref not found/],
    ["module", { "x-args": "x".repeat(50_000) }, 400, /longer than 49152 bytes/],
    ["module", { "content-length": "99999999999" }, 413, /too large/],
    ["..%2Fmodule", {}, 400, /not allowed/],
    ["%ff", {}, 400, /not encoded/],
    ["a/b", {}, 404, /no such path/],
    ["", {}, 400, /is empty/],
  ];
  for (const [name, headers, status, text] of table) {
    const answer = await run(tasks.app, name, headers);
    strictEqual(answer.status, status, name);
    match(await answer.text(), text, name);
    strictEqual(answer.headers.get("content-type"), "text/plain; charset=utf-8");
  }
  const answer = await run(full.app, full.module);
  deepStrictEqual([answer.status, await answer.text(), answer.headers.get("retry-after")], [
    429,
    "429: Queue Full\n",
    "1",
  ]);
  strictEqual(await (await run(tasks.app, "module", {}, "still here")).text(), "err\nstill here");
  strictEqual(tasks.tasks.budget.taken + full.tasks.budget.taken, 0);
});

Deno.test("only POST runs tasks, and only for callers that are let in", async () => {
  using tasks = await tasksApp();
  for (const method of ["GET", "PUT", "DELETE", "PATCH"]) {
    const { status, headers } = await call(tasks.app, "/api/client/run/module", { method });
    deepStrictEqual([status, headers.get("allow")], [405, "POST"], method);
  }
  const remote = { remoteAddress: "192.0.2.7", method: "POST" };
  strictEqual((await call(tasks.app, "/api/client/run/module", remote)).status, 401);
  const inUrl = await call(tasks.app, `/api/client/run/module?token=${OTHER_TOKEN}`, remote);
  strictEqual(inUrl.status, 200);
  const basic = { authorization: `Basic ${btoa(`:${OTHER_TOKEN}`)}` };
  strictEqual((await call(tasks.app, "/api/client/run/module", { ...remote, headers: basic })).status, 200);
});
