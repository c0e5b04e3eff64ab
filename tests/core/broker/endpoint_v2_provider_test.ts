import assert from "node:assert/strict";
import { WasimoffError } from "../../../core/errors.ts";
import { exited, failed } from "../../../core/outcome.ts";
import { silent } from "../../../core/log.ts";
import { Messenger } from "../../../core/protocol/messenger.ts";
import type { RunInSlot } from "../../../core/provider/provider_options.ts";
import { openSession } from "../../../core/session/dialer.ts";
import { encodeFrame, FRAME_DATA } from "../../../core/session/frame.ts";
import { copyingSlot, MemoryCluster, task, TextSink } from "../../support/memory_cluster.ts";

const encoder = new TextEncoder();

/** Says the text on both outputs; then fails, or exits. */
function saying(text: string, fails: boolean): RunInSlot {
  return async (_task, { stdout, stderr, artifacts }) => {
    for (const sink of [stdout, stderr]) await sink.write(encoder.encode(text));
    if (fails) throw new WasimoffError("unavailable", "slot is gone");
    for (const sink of [stdout, stderr, artifacts]) sink.end();
    return { outcome: exited(0), durationMs: 1, memoryBytes: 0 };
  };
}

Deno.test("a task ends as lost when a further attempt says less than the first, on both outputs", async () => {
  await using cluster = new MemoryCluster();
  const first = await cluster.provider(saying("heads and tails", true));
  const { client } = await cluster.client();
  const streams = { stdout: new TextSink(), stderr: new TextSink() };
  const run = client.run(task(), streams);
  await cluster.provider(saying("heads", false));
  const { outcome, attempts } = await run;
  assert.equal(attempts, 2);
  assert.equal(outcome.reason, "lost");
  assert.match(outcome.message, /differs from what was delivered before/);
  assert.equal(streams.stdout.text, "heads and tails");
  await first.leave();
});

Deno.test("a task goes elsewhere when a provider answers that its copy of a file is damaged", async () => {
  await using cluster = new MemoryCluster();
  await cluster.provider(() => Promise.reject(new WasimoffError("data_loss", "file has another hash")));
  const { client } = await cluster.client();
  const run = client.run(task({ args: ["cat", "3"] }), { stdout: new TextSink(), stderr: new TextSink() });
  await cluster.provider(copyingSlot, { name: "sound" });
  const { outcome, provider } = await run;
  assert.deepEqual(outcome, exited(3));
  assert.equal(provider, "sound");
});

Deno.test("a task goes elsewhere when a provider denies the output that it has sent", async () => {
  await using cluster = new MemoryCluster();
  const pipe = cluster.connect("provider");
  const session = await openSession({
    dial: () => Promise.resolve(pipe.a),
    token: "",
    agent: "liar",
    logger: silent,
    signal: new AbortController().signal,
  });
  const liar = new Messenger(session, {
    request: ({ case: kind, value }) => {
      assert.ok(kind === "runAttempt");
      const { attempt, stdio } = value;
      const body = encoder.encode("x");
      pipe.a.send(encodeFrame({ type: FRAME_DATA, stream: stdio!.stdout, offset: 0, body }));
      const outcome = { reason: 1, origin: 1, status: 0, message: "" };
      return Promise.resolve({ case: "attempt", value: { attempt, outcome, durationMs: 1 } });
    },
    event: () => {},
  });
  await liar.request({ case: "announce", value: { name: "liar", slots: 1 } });
  const { client } = await cluster.client();
  const run = client.run(task(), { stdout: new TextSink(), stderr: new TextSink() });
  await cluster.provider(saying("x", false), { name: "honest" });
  const { outcome, provider } = await run;
  assert.deepEqual(outcome, exited(0));
  assert.equal(provider, "honest");
  session.close(new WasimoffError("canceled", "test is over"));
});

Deno.test("a task whose slots died at two providers ends so, and its module is rejected", async () => {
  await using cluster = new MemoryCluster();
  const dying: RunInSlot = async (_task, { stdout, stderr, artifacts }) => {
    await stdout.write(encoder.encode("so far"));
    for (const sink of [stdout, stderr, artifacts]) sink.abort(new WasimoffError("aborted", "slot died"));
    return { outcome: failed("memory", "provider", "slot died"), durationMs: 1, memoryBytes: 0 };
  };
  for (const name of ["one", "two"]) await cluster.provider(dying, { name });
  const { client } = await cluster.client();
  const streams = { stdout: new TextSink(), stderr: new TextSink() };
  const { outcome, attempts } = await client.run(task({ attempts: 1 }), streams);
  const message = 'provider "one" and provider "two" failed: slot died';
  assert.deepEqual(outcome, failed("memory", "provider", message));
  assert.equal(attempts, 2);
  assert.equal(streams.stdout.text, "so far");
  const again = await client.run(task(), { stdout: new TextSink(), stderr: new TextSink() });
  assert.deepEqual([again.outcome.reason, again.outcome.status, again.attempts], ["rejected", 125, 0]);
  assert.match(
    again.outcome.message,
    /^module is rejected for another \d+ s: slots died under it on provider "one"/,
  );
  const { slotDeaths, modulesRejected } = cluster.broker.stats.totals;
  assert.deepEqual([slotDeaths, modulesRejected], [2, 1]);
});
