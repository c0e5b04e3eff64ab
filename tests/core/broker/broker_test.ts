import assert from "node:assert/strict";
import type { ByteSource } from "../../../core/byte_stream.ts";
import { WasimoffError } from "../../../core/errors.ts";
import { exited } from "../../../core/outcome.ts";
import type { RunInSlot } from "../../../core/provider/provider_options.ts";
import { settleGoodbye } from "../../support/session_pair.ts";
import { copyingSlot, MemoryCluster, task, TextSink } from "../../support/memory_cluster.ts";

const encoder = new TextEncoder();

function outputs() {
  return { stdout: new TextSink(), stderr: new TextSink() };
}

function sourceOf(...chunks: Uint8Array[]): ByteSource {
  return { read: () => Promise.resolve(chunks.shift() ?? null), cancel: () => void (chunks.length = 0) };
}

/** A slot whose guest runs until it is cancelled; tells when it has begun. */
function endlessSlot(begun: () => void = () => {}): RunInSlot {
  return (_task, { stdout, stderr, artifacts }, signal) => {
    begun();
    const { promise, resolve } = Promise.withResolvers<Awaited<ReturnType<RunInSlot>>>();
    signal.addEventListener("abort", () => {
      for (const sink of [stdout, stderr, artifacts]) sink.end();
      const outcome = { reason: "cancelled", origin: "provider", status: 143, message: "killed" } as const;
      resolve({ outcome, durationMs: 1, memoryBytes: 0 });
    }, { once: true });
    return promise;
  };
}

Deno.test("Broker runs a task and returns its output, status and provider", async () => {
  await using cluster = new MemoryCluster();
  await cluster.provider(copyingSlot, { name: "one" });
  const { client } = await cluster.client();
  const streams = {
    ...outputs(),
    stdinBytes: encoder.encode("hello "),
    stdin: sourceOf(encoder.encode("world")),
  };
  const result = await client.run(task({ args: ["cat", "7"] }), streams);
  assert.equal(streams.stdout.text, "hello world");
  assert.equal(streams.stdout.state, "ended");
  assert.equal(streams.stderr.text, "");
  assert.deepEqual(result.outcome, exited(7));
  assert.equal(result.provider, "one");
  assert.equal(result.attempts, 1);
  assert.equal(cluster.broker.stats.running, 0);
});

Deno.test("Broker passes megabytes both ways, in order, while connections are cut", async () => {
  await using cluster = new MemoryCluster();
  const provider = await cluster.provider(copyingSlot);
  const { client, pipes } = await cluster.client();
  const data = new Uint8Array(3_000_000).map((_, i) => (i * 7919) >> 3);
  let sent = 0;
  const stdin: ByteSource = {
    // deno-lint-ignore require-await
    read: async () => {
      if (sent >= data.length) return null;
      if (sent === 900_000) pipes.at(-1)!.cut();
      if (sent === 1_800_000) provider.pipes.at(-1)!.cut();
      const chunk = data.subarray(sent, sent + 60_000);
      sent += chunk.length;
      return chunk;
    },
    cancel: () => {},
  };
  const received: Uint8Array[] = [];
  const stdout = { write: (chunk: Uint8Array) => void received.push(chunk), end: () => {}, abort: () => {} };
  const result = await client.run(task(), { stdin, stdout, stderr: new TextSink() });
  assert.deepEqual(result.outcome, exited(0));
  assert.equal(Buffer.compare(Buffer.concat(received), data), 0);
  assert.equal(pipes.length, 2, "client came back once");
  assert.equal(provider.pipes.length, 2, "provider came back once");
  assert.equal(result.attempts, 1);
});

Deno.test("Broker cancels a running task in its slot and says that the provider acknowledged it", async () => {
  await using cluster = new MemoryCluster();
  const begun = Promise.withResolvers<void>();
  await cluster.provider(endlessSlot(begun.resolve), { name: "one" });
  const { client } = await cluster.client();
  const cancel = new AbortController();
  const run = client.run(task(), outputs(), { signal: cancel.signal });
  await begun.promise;
  cancel.abort(new WasimoffError("canceled", "interrupted"));
  const { outcome } = await run;
  assert.equal(outcome.reason, "cancelled");
  assert.equal(outcome.status, 143);
  assert.match(outcome.message, /acknowledged by provider "one"/);
});

Deno.test("Broker cancels the tasks of a client that says goodbye", async () => {
  await using cluster = new MemoryCluster();
  const begun = Promise.withResolvers<void>();
  const aborted = Promise.withResolvers<void>();
  await cluster.provider((task, io, signal) => {
    signal.addEventListener("abort", () => aborted.resolve(), { once: true });
    return endlessSlot(begun.resolve)(task, io, signal);
  });
  const { client } = await cluster.client();
  const run = client.run(task(), outputs());
  await begun.promise;
  client.close();
  await assert.rejects(run, { code: "canceled" });
  await aborted.promise;
});

Deno.test("Broker runs a task elsewhere when its provider leaves, and the output shows one run", async () => {
  await using cluster = new MemoryCluster();
  const half = Promise.withResolvers<void>();
  const first = await cluster.provider(async (_task, { stdout }, signal) => {
    await stdout.write(encoder.encode("one, "));
    half.resolve();
    await new Promise((_, reject) =>
      signal.addEventListener("abort", () => reject(signal.reason), { once: true })
    );
    throw new Error("unreachable");
  }, { name: "first", drainMs: 1 });
  const { client } = await cluster.client();
  const streams = outputs();
  const run = client.run(task(), streams);
  await half.promise;
  await cluster.provider(async (_task, { stdout, stderr, artifacts }) => {
    await stdout.write(encoder.encode("one, two"));
    for (const sink of [stdout, stderr, artifacts]) sink.end();
    return { outcome: exited(0), durationMs: 1, memoryBytes: 0 };
  }, { name: "second" });
  await first.leave();
  const result = await run;
  assert.deepEqual(result.outcome, exited(0));
  assert.equal(result.provider, "second");
  assert.equal(result.attempts, 2);
  assert.equal(streams.stdout.text, "one, two");
});

Deno.test("Broker ends a task as lost when a further attempt says something else", async () => {
  await using cluster = new MemoryCluster();
  const saying = (text: string, fail: boolean): RunInSlot => async (_task, { stdout, stderr, artifacts }) => {
    await stdout.write(encoder.encode(text));
    if (fail) throw new WasimoffError("unavailable", "slot is gone");
    for (const sink of [stdout, stderr, artifacts]) sink.end();
    return { outcome: exited(0), durationMs: 1, memoryBytes: 0 };
  };
  await cluster.provider(saying("heads", true));
  await cluster.provider(saying("tails", false));
  const { client } = await cluster.client();
  const streams = outputs();
  const first = await client.run(task(), streams);
  if (first.attempts === 1) return; // the honest provider came first: nothing was repeated
  assert.equal(first.outcome.reason, "lost");
  assert.match(first.outcome.message, /differs from what was delivered before/);
  assert.equal(streams.stdout.text, "heads");
});

Deno.test("Broker gives up after as many attempts as the task allows", async () => {
  await using cluster = new MemoryCluster();
  let attempts = 0;
  for (let i = 0; i < 4; i++) {
    await cluster.provider(() => {
      attempts++;
      return Promise.reject(new WasimoffError("unavailable", "slot is gone"));
    });
  }
  const { client } = await cluster.client();
  const { outcome } = await client.run(task({ attempts: 3 }), outputs());
  assert.equal(outcome.reason, "lost");
  assert.equal(outcome.origin, "broker");
  assert.equal(attempts, 3);
});

Deno.test("Broker tells a client that asked where its task is", async () => {
  await using cluster = new MemoryCluster();
  const { client } = await cluster.client();
  const states: string[] = [];
  const run = client.run(task(), outputs(), {
    onProgress: ({ state, provider }) => states.push(`${state} ${provider}`),
  });
  await cluster.provider(copyingSlot, { name: "late" });
  await run;
  assert.deepEqual(states, ["queued ", "running late"]);
});

Deno.test("Broker tells in one message that nobody has a label, however long that is", async () => {
  await using cluster = new MemoryCluster();
  const { client } = await cluster.client();
  const details: string[] = [];
  const run = client.run(task({ require: { long: "x".repeat(65_000) } }), outputs(), {
    onProgress: ({ detail }) => details.push(detail),
  });
  await cluster.provider(copyingSlot);
  const cancel = new AbortController();
  const other = client.run(task({ require: { long: "x".repeat(65_000) } }), outputs(), {
    signal: cancel.signal,
    onProgress: ({ detail }) => (details.push(detail), cancel.abort(new WasimoffError("canceled", "enough"))),
  });
  assert.equal((await other).outcome.reason, "cancelled");
  assert.deepEqual(details.map(({ length }) => length < 1_100), [true, true]);
  client.close();
  await assert.rejects(run, { code: "canceled" });
});

Deno.test("Broker counts the memory of a waiting task whose many arguments are empty", async () => {
  await using cluster = new MemoryCluster();
  const { client } = await cluster.client();
  const cancel = new AbortController();
  const { promise, resolve } = Promise.withResolvers<void>();
  const run = client.run(task({ args: new Array(30_000).fill("") }), outputs(), {
    signal: cancel.signal,
    onProgress: () => resolve(),
  });
  await promise;
  assert.equal(cluster.broker.stats.queuedBytes > 30_000 * 16, true);
  cancel.abort();
  await run;
});

Deno.test("Broker refuses a task whose module it does not have", async () => {
  await using cluster = new MemoryCluster();
  const { client } = await cluster.client();
  await assert.rejects(client.run(task({ module: "nowhere" }), outputs()), { code: "not_found" });
});

Deno.test("Broker.drain() takes no new tasks and waits for the last", async () => {
  await using cluster = new MemoryCluster();
  const begun = Promise.withResolvers<void>();
  await cluster.provider(endlessSlot(begun.resolve));
  const { client } = await cluster.client();
  const cancel = new AbortController();
  const run = client.run(task(), outputs(), { signal: cancel.signal });
  await begun.promise;
  const drained = cluster.broker.drain(new AbortController().signal);
  await assert.rejects(client.run(task(), outputs()), { code: "unavailable" });
  cancel.abort();
  await run;
  await drained;
});

Deno.test("a provider told to serve once leaves after its first task", async () => {
  await using cluster = new MemoryCluster();
  const provider = await cluster.provider(copyingSlot, { once: true });
  const { client } = await cluster.client();
  const { outcome } = await client.run(task(), outputs());
  assert.deepEqual(outcome, exited(0));
  await provider.leave();
  await settleGoodbye();
  assert.equal(cluster.broker.stats.providers, 0);
});

Deno.test("a task whose sink fails is cancelled", async () => {
  await using cluster = new MemoryCluster();
  await cluster.provider(async (task, io, signal) => {
    await io.stdout.write(encoder.encode("x"));
    return endlessSlot()(task, io, signal);
  });
  const { client } = await cluster.client();
  const closed = {
    write: () => Promise.reject(new WasimoffError("canceled", "stdout is closed")),
    end() {},
    abort() {},
  };
  const { outcome } = await client.run(task(), { stdout: closed, stderr: new TextSink() });
  assert.equal(outcome.reason, "cancelled");
});
