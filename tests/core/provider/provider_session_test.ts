import assert from "node:assert/strict";
import { WasimoffError } from "../../../core/errors.ts";
import { silent } from "../../../core/log.ts";
import { exited } from "../../../core/outcome.ts";
import { Messenger } from "../../../core/protocol/messenger.ts";
import { runProvider } from "../../../core/provider/provider.ts";
import type { ProviderOptions } from "../../../core/provider/provider_options.ts";
import { requestWithStdio } from "../../../core/session/stdio_request.ts";
import { fakeClock, SessionPair } from "../../support/session_pair.ts";
import { settle } from "../../support/settle.ts";
import { MODULE, TextSink } from "../../support/memory_cluster.ts";

const OVER = new WasimoffError("unavailable", "broker is shutting down");

/** Provider options with sessions that a test makes. */
function options(fields: Pick<ProviderOptions, "openSession" | "signal"> & Partial<ProviderOptions>) {
  return {
    name: "p",
    labels: {},
    slots: 1,
    taskMemoryBytes: 1 << 20,
    taskTimeoutMs: 1_000,
    taskDiskBytes: 64 * 1024 * 1024,
    once: false,
    drainMs: 5_000,
    runInSlot: () => Promise.reject(new WasimoffError("unavailable", "no slot")),
    loadFile: () => Promise.reject(new WasimoffError("not_found", "no file")),
    cached: () => Promise.resolve([]),
    logger: silent,
    ...fields,
  } satisfies ProviderOptions;
}

/** A broker that seats whoever announces itself. */
function seat({ acceptor }: SessionPair): Messenger {
  return new Messenger(acceptor, {
    request: () => Promise.resolve({ case: "announced", value: { provider: "p1", storagePath: "/" } }),
    event: () => {},
  });
}

Deno.test("a provider that leaves after its task first sends the output that still waits for credit", async () => {
  using pair = new SessionPair();
  const broker = seat(pair);
  const ready = Promise.withResolvers<string>();
  const size = 1_150_000; // the last of it waits for credit, and no write of the slot waits for that
  const done = runProvider(options({
    once: true,
    signal: new AbortController().signal,
    openSession: () => Promise.resolve(pair.dialer),
    onReady: ready.resolve,
    runInSlot: async (_task, { stdout, stderr, artifacts }) => {
      for (let at = 0; at < size; at += 50_000) await stdout.write(new Uint8Array(50_000).fill(120));
      for (const sink of [stdout, stderr, artifacts]) sink.end();
      return { outcome: exited(0), durationMs: 1, memoryBytes: 0 };
    },
  }));
  await ready.promise;
  const slow = new TextSink();
  const stdout = {
    write: async (chunk: Uint8Array) => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      slow.write(chunk);
    },
    end: () => slow.end(),
    abort: (reason: WasimoffError) => slow.abort(reason),
  };
  const stdio = {
    stdinBytes: new Uint8Array(0),
    stdin: null,
    stdout,
    stderr: new TextSink(),
    artifacts: null,
  };
  const { broken } = await requestWithStdio(pair.acceptor, broker, stdio, {
    method: (stdio) => ({ case: "runAttempt", value: { attempt: "a", module: MODULE, args: ["x"], stdio } }),
  });
  await done;
  assert.equal(broken, null);
  assert.equal(slow.text.length, size);
  assert.equal(slow.state, "ended");
});

Deno.test("a provider leaves a broker that does not answer its announcement, and leaves at once when told", async () => {
  using clock = fakeClock();
  const pairs: SessionPair[] = [];
  const stop = new AbortController();
  const done = runProvider(options({
    signal: stop.signal,
    openSession: () => {
      pairs.push(new SessionPair());
      return Promise.resolve(pairs.at(-1)!.dialer);
    },
  }));
  await clock.tick(4_900);
  assert.equal(pairs.length, 1);
  await clock.tick(1_000);
  assert.equal(pairs[0]!.dialer.signal.aborted, true);
  assert.equal(pairs.length, 2);
  stop.abort();
  await clock.tick(20);
  await done;
  assert.equal(pairs[1]!.dialer.signal.aborted, true);
  for (const pair of pairs) pair[Symbol.dispose]();
});

Deno.test("a provider waits longer and longer for a broker that seats it and ends the session at once", async () => {
  using clock = fakeClock();
  const stop = new AbortController();
  let sessions = 0;
  const done = runProvider(options({
    signal: stop.signal,
    openSession: () => {
      sessions++;
      const pair = new SessionPair();
      seat(pair);
      void settle().then(() => pair.acceptor.close(OVER));
      return Promise.resolve(pair.dialer);
    },
  }));
  await clock.tick(10_000);
  assert.ok(sessions >= 5 && sessions <= 10, `${sessions} sessions in 10 s`);
  stop.abort();
  await clock.tick(1);
  await done;
});
