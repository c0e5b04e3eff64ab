/** Providers that do not keep to the protocol, or lie within it. */

import { create, toBinary } from "@bufbuild/protobuf";
import { deepStrictEqual, match, ok, strictEqual } from "node:assert/strict";
import type { Client } from "../../core/client/client.ts";
import type { TaskRequest } from "../../core/client/task_request.ts";
import { WasimoffError } from "../../core/errors.ts";
import { exited } from "../../core/outcome.ts";
import { MessageSchema } from "../../core/protocol/gen/wasimoff/v2/wasimoff_pb.ts";
import { type Frame, FRAME_DATA, FRAME_END, FRAME_MESSAGE } from "../../core/session/frame.ts";
import { runCommand } from "../support/command_run.ts";
import { HostCluster } from "../support/host_cluster.ts";
import { liveIo } from "../support/live_streams.ts";
import { attemptResult, openRawProvider, type RawAttempt } from "../support/raw_provider.ts";
import { until } from "../support/real_slots.ts";

type Answer = (attempt: RawAttempt) => ReturnType<Parameters<typeof openRawProvider>[2]>;

const never = () => new Promise<never>(() => {});

async function run(client: Client, task: TaskRequest, signal?: AbortSignal) {
  const io = liveIo(undefined);
  const result = await client.run(task, io, signal === undefined ? {} : { signal });
  return { ...result, stdout: io.stdout };
}

/** A task that first goes to a liar, because it claims the module, and then to an honest provider. */
async function afterLiar(answer: Answer) {
  await using cluster = await HostCluster.start();
  const module = await cluster.store();
  const asked = Promise.withResolvers<void>();
  await using _liar = await openRawProvider(
    cluster.port,
    { name: "liar", slots: 1, cached: [module], labels: { any: "" } },
    (attempt) => {
      asked.resolve();
      return answer(attempt);
    },
  );
  const client = await cluster.client();
  const running = run(client, { module, args: ["guest", "exit", "5"] });
  await asked.promise;
  await cluster.provider({ name: "honest" });
  return await running;
}

const CASES: Record<string, Answer> = {
  "answers for an attempt that nobody asked for": () => Promise.resolve(attemptResult("unknown", 0)),
  "answers with another kind of result": () =>
    Promise.resolve({ case: "announced", value: { provider: "p1", storagePath: "/" } }),
  "answers without an outcome": ({ attempt: { attempt } }) =>
    Promise.resolve({ case: "attempt", value: { attempt } }),
  "claims a file that it does not have": () =>
    Promise.reject(new WasimoffError("not_found", "file is not here")),
  "gives the attempt up as if it had been cancelled": ({ attempt: { attempt } }) =>
    Promise.resolve({
      case: "attempt",
      value: { attempt, outcome: { reason: 5, origin: 3, status: 143, message: "no" } },
    }),
};

const stdoutOf = ({ attempt }: RawAttempt) => attempt.stdio!.stdout;
const data = (stream: number, offset: number, text: string): Frame => ({
  type: FRAME_DATA,
  stream,
  offset,
  body: new TextEncoder().encode(text),
});

/** Frames that no session would send; the provider is then lost. */
const FORGERIES: Readonly<Record<string, (attempt: RawAttempt) => Frame[]>> = {
  "ends its output at another length than it has": (attempt) => [
    { type: FRAME_END, stream: stdoutOf(attempt), length: 10 },
  ],
  "leaves a gap in its output": (attempt) => [data(stdoutOf(attempt), 5, "far")],
  "sends what is no message": () => [{ type: FRAME_MESSAGE, body: new Uint8Array(64).fill(0xff) }],
};
for (const [what, frames] of Object.entries(FORGERIES)) {
  CASES[what] = (attempt) => {
    for (const frame of frames(attempt)) attempt.forge(frame);
    return never();
  };
}

for (const [what, answer] of Object.entries(CASES)) {
  Deno.test(`a task whose provider ${what} goes to another`, async () => {
    const { outcome, provider, attempts } = await afterLiar(answer);
    deepStrictEqual([outcome, provider, attempts], [exited(5), "honest", 2]);
  });
}

Deno.test("output that repeats itself ends its provider, and is not taken for that of the next", async () => {
  const { outcome, provider, attempts, stdout } = await afterLiar((attempt) => {
    for (let i = 0; i < 2; i++) attempt.forge(data(stdoutOf(attempt), 0, "x".repeat(65_536)));
    return never();
  });
  deepStrictEqual([outcome.reason, outcome.status, provider, attempts], ["lost", 125, "honest", 2]);
  match(outcome.message, /output of a further attempt differs from what was delivered before/);
  ok(stdout.state instanceof WasimoffError);
});

Deno.test("the second answer to an attempt changes nothing, nor does one to a request that never was", async () => {
  await using cluster = await HostCluster.start();
  const module = await cluster.store();
  await using liar = await openRawProvider(cluster.port, { name: "liar", slots: 1 }, (asked) => {
    const { attempt } = asked.attempt;
    const answer = (id: number, status: number) => {
      const body = { case: "response", value: { id, result: attemptResult(attempt, status) } } as const;
      asked.forge({ type: FRAME_MESSAGE, body: toBinary(MessageSchema, create(MessageSchema, { body })) });
    };
    answer(asked.id + 1_000, 1);
    answer(asked.id, 2);
    answer(asked.id, 3);
    return Promise.resolve(attemptResult(attempt, 4));
  });
  const client = await cluster.client();
  for (let i = 0; i < 3; i++) {
    const { outcome, attempts } = await run(client, { module, args: ["x"] });
    deepStrictEqual([outcome, attempts], [exited(2), 1]);
  }
  strictEqual(liar.session.signal.aborted, false);
  strictEqual(cluster.host.broker.stats.totals.finished.exit, 3);
});

Deno.test("a provider that claims 1e9 slots gets 1,024 attempts, and the next provider the rest", async () => {
  await using cluster = await HostCluster.start();
  const module = await cluster.store();
  let asked = 0;
  await using _liar = await openRawProvider(cluster.port, { name: "liar", slots: 1e9 }, () => {
    asked++;
    return never();
  });
  const client = await cluster.client();
  const leave = new AbortController();
  const waiting = Array.from(
    { length: 1_500 },
    () => run(client, { module, args: ["guest", "exit", "0"] }, leave.signal),
  );
  const { broker } = cluster.host;
  await until(() => asked === 1_024 && broker.stats.queued === 476, 20_000);
  strictEqual(broker.providers()[0]!.slots, 1_024);
  await cluster.provider({ name: "honest", slots: 2 });
  await until(() => broker.stats.totals.finished.exit === 476, 20_000);
  leave.abort(new WasimoffError("canceled", "enough"));
  client.close();
  const ends = await Promise.allSettled(waiting);
  strictEqual(ends.filter(({ status }) => status === "fulfilled").length, 476);
});

Deno.test("a provider's name cannot move the cursor of those who read it", async () => {
  await using cluster = await HostCluster.start();
  const module = await cluster.store();
  const name = "\x1b[2Jbad\nname\u202e";
  await using _liar = await openRawProvider(
    cluster.port,
    { name, slots: 1, labels: { "\x07key": "\x1b]0;title\x07" } },
    () => Promise.reject(new WasimoffError("invalid_argument", "\x1b[31mred\r\n")),
  );
  const at = ["--url", `http://127.0.0.1:${cluster.port}`];
  const listing = await runCommand(["providers", "ls", ...at]);
  strictEqual(listing.code, 0);
  const failing = await runCommand(["submit", ...at, module]);
  strictEqual(failing.code, 126);
  for (const text of [listing.stdout, listing.stderr, failing.stdout, failing.stderr]) {
    // deno-lint-ignore no-control-regex
    ok(!/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/.test(text), JSON.stringify(text));
  }
  match(listing.stdout, /bad.*name/);
});
