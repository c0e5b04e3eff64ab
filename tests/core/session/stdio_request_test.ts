import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { create, toBinary } from "@bufbuild/protobuf";
import FakeTimers from "@sinonjs/fake-timers";
import type { ByteSink, ByteSource } from "../../../core/byte_stream.ts";
import { WasimoffError } from "../../../core/errors.ts";
import { MessageSchema } from "../../../core/protocol/gen/wasimoff/v2/wasimoff_pb.ts";
import { CANCEL_GRACE_MS, MAX_STREAMS } from "../../../core/protocol/limits.ts";
import { Messenger, type ResultInit } from "../../../core/protocol/messenger.ts";
import { requestWithStdio, type Stdio } from "../../../core/session/stdio_request.ts";
import { AcceptedStdio } from "../../../core/session/stdio_response.ts";
import { fakeClock, SessionPair } from "../../support/session_pair.ts";

/** The response to the first request. */
const ANSWER = toBinary(
  MessageSchema,
  create(MessageSchema, {
    body: { case: "response", value: { id: 1, result: { case: "task", value: { lengths: {} } } } },
  }),
);

const DISK = new WasimoffError("data_loss", "disk is broken");

/** Collects what is written and how it ended. */
class Collector implements ByteSink {
  text = "";
  ending: string | null = null;
  failure: WasimoffError | null = null;

  write(chunk: Uint8Array): void {
    if (this.failure !== null) throw this.failure;
    this.text += new TextDecoder().decode(chunk);
  }

  end(): void {
    this.ending ??= "end";
  }

  abort({ code }: WasimoffError): void {
    this.ending ??= code;
  }
}

/** Gives the texts, then ends, or fails when told so. */
function source(texts: string[], failure: WasimoffError | null = null): ByteSource {
  return {
    read: () => {
      const text = texts.shift();
      if (text !== undefined) return Promise.resolve(new TextEncoder().encode(text));
      return failure === null ? Promise.resolve(null) : Promise.reject(failure);
    },
    cancel: () => texts.splice(0),
  };
}

const bytes = (text: string) => new TextEncoder().encode(text);

/** Runs one request against a guest that is a function; resolves with everything the requester sees. */
async function run(
  guest: (stdio: AcceptedStdio, signal: AbortSignal) => Promise<void> | void,
  stdin: ByteSource | null = null,
  stdoutFailure: WasimoffError | null = null,
) {
  using pair = new SessionPair();
  const messenger = new Messenger(pair.dialer, { request: () => Promise.reject(DISK), event: () => {} });
  new Messenger(pair.acceptor, {
    request: async (method, { signal }): Promise<ResultInit> => {
      ok(method.case === "runTask");
      const stdio = new AcceptedStdio(pair.acceptor, method.value.stdio);
      try {
        await guest(stdio, signal);
        return { case: "task", value: { lengths: stdio.lengths() } };
      } catch (error) {
        stdio.abort(WasimoffError.from(error));
        throw error;
      }
    },
    event: () => {},
  });
  const [stdout, stderr, artifacts] = [new Collector(), new Collector(), new Collector()];
  stdout.failure = stdoutFailure;
  const stdio: Stdio = { stdinBytes: bytes("first "), stdin, stdout, stderr, artifacts };
  const answer = await requestWithStdio(pair.dialer, messenger, stdio, {
    method: (stdio) => ({ case: "runTask", value: { stdio } }),
  }).catch((error: WasimoffError) => error);
  for (let i = 0; i < 200; i++) await null;
  const live = [pair.dialer.streams.size, pair.acceptor.streams.size];
  return {
    answer,
    outputs: [stdout, stderr, artifacts].map(({ text, ending }) => `${text}|${ending}`),
    live,
  };
}

Deno.test("a request carries stdin there and the outputs back, complete, and leaves no stream", async () => {
  const { answer, outputs, live } = await run(async ({ stdinBytes, stdin, stdout, stderr, artifacts }) => {
    await stdout.write(stdinBytes);
    for (let chunk = await stdin!.read(); chunk !== null; chunk = await stdin!.read()) {
      await stdout.write(chunk);
    }
    await stderr.write(bytes("warning"));
    for (const sink of [stdout, stderr, artifacts]) sink.end();
  }, source(["second ", "third"]));
  ok(!(answer instanceof Error));
  equal(answer.broken, null);
  deepEqual(outputs, ["first second third|end", "warning|end", "|end"]);
  deepEqual(live, [0, 0]);
});

Deno.test("a guest that reads no stdin and ends does not keep its streams", async () => {
  const { answer, live } = await run(({ stdin, stdout, stderr, artifacts }) => {
    for (const sink of [stdout, stderr, artifacts]) sink.end();
    stdin!.cancel(DISK);
  }, source(Array(1_000).fill("x".repeat(1_000))));
  ok(!(answer instanceof Error));
  deepEqual(live, [0, 0]);
});

Deno.test("an output that is aborted before its first byte is broken, never an empty proper end", async () => {
  const { answer, outputs } = await run(({ stdout, stderr, artifacts }) => {
    stdout.abort(DISK);
    for (const sink of [stderr, artifacts]) sink.end();
  });
  ok(!(answer instanceof Error));
  deepEqual([answer.broken?.side, answer.broken?.cause.message], ["source", "disk is broken"]);
  deepEqual(outputs, ["|data_loss", "|end", "|end"]);
});

Deno.test("a request that fails ends every stream on both sides", async () => {
  const { answer, live } = await run(async ({ stdout }) => {
    await stdout.write(bytes("partial"));
    throw DISK;
  }, source(["more"]));
  ok(answer instanceof WasimoffError);
  deepEqual([answer.code, live], ["data_loss", [0, 0]]);
});

Deno.test("a stdin that cannot be read, or an output that cannot be written, cancels the request", async () => {
  const untilAborted = (stdio: AcceptedStdio, signal: AbortSignal) => {
    void Promise.resolve(stdio.stdout.write(bytes("output"))).catch(() => {});
    return new Promise<void>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  };
  const { answer: noStdin } = await run(untilAborted, source(["a"], DISK));
  const { answer: noStdout } = await run(untilAborted, null, DISK);
  for (const answer of [noStdin, noStdout]) {
    ok(answer instanceof WasimoffError);
    equal(answer.message, "disk is broken");
  }
});

Deno.test("an answer and a goodbye that come together are an answer first", async () => {
  using pair = new SessionPair();
  const messenger = new Messenger(pair.dialer, { request: () => Promise.reject(DISK), event: () => {} });
  pair.acceptor.receiveMessages(() => {
    pair.acceptor.send(ANSWER);
    pair.acceptor.close(new WasimoffError("canceled", "provider has left"));
  });
  const [stdout, stderr] = [new Collector(), new Collector()];
  const stdio = { stdinBytes: new Uint8Array(0), stdin: null, stdout, stderr, artifacts: null };
  const { result, broken } = await requestWithStdio(pair.dialer, messenger, stdio, {
    method: (stdio) => ({ case: "runTask", value: { stdio } }),
  });
  deepEqual([result.case, broken, stdout.ending, stderr.ending], ["task", null, "end", "end"]);
});

Deno.test("an output that was announced and does not come is given up, one that our own sink delays is not", async () => {
  const clock = FakeTimers.install({
    toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "performance"],
  });
  using _realTime = { [Symbol.dispose]: () => clock.uninstall() };
  using pair = new SessionPair();
  const messenger = new Messenger(pair.dialer, { request: () => Promise.reject(DISK), event: () => {} });
  new Messenger(pair.acceptor, {
    request: async (method) => {
      if (method.case !== "runTask") throw DISK;
      const out = pair.acceptor.streams.acceptSend(method.value.stdio!.stdout);
      await out.write(bytes("out"));
      out.end();
      return { case: "task", value: { lengths: { stdout: 3n, stderr: 5n } } };
    },
    event: () => {},
  });
  const slow = Promise.withResolvers<void>();
  const stdout = { write: () => slow.promise, end() {}, abort() {} };
  const stderr = new Collector();
  let answered = 0;
  const stdio = { stdinBytes: new Uint8Array(0), stdin: null, stdout, stderr, artifacts: null };
  const answer = requestWithStdio(pair.dialer, messenger, stdio, {
    method: (stdio) => ({ case: "runTask", value: { stdio } }),
    answered: () => answered++,
  });
  let settled = false;
  void answer.then(() => settled = true);
  await clock.tickAsync(100_000);
  deepEqual([answered, settled, stderr.ending], [1, false, "unavailable"]);
  slow.resolve();
  await clock.tickAsync(0);
  equal((await answer).broken?.cause.message, "announced output did not come");
});

Deno.test("an output that never ends is given up after the cancel and its grace", async () => {
  using clock = fakeClock();
  using pair = new SessionPair();
  const messenger = new Messenger(pair.dialer, { request: () => Promise.reject(DISK), event: () => {} });
  new Messenger(pair.acceptor, {
    request: () => Promise.resolve({ case: "task", value: { lengths: { stdout: 5n } } }),
    event: () => {},
  });
  const controller = new AbortController();
  const [stdout, stderr] = [new Collector(), new Collector()];
  const stdio = { stdinBytes: new Uint8Array(0), stdin: null, stdout, stderr, artifacts: null };
  const answer = requestWithStdio(pair.dialer, messenger, stdio, {
    method: (stdio) => ({ case: "runTask", value: { stdio } }),
    signal: controller.signal,
  });
  let settled = false;
  void answer.then(() => settled = true);
  await clock.tick(60_000);
  controller.abort(DISK);
  await clock.tick(CANCEL_GRACE_MS - 1);
  equal(settled, false);
  await clock.tick(1);
  equal((await answer).broken?.cause, DISK);
  deepEqual([stdout.ending, stderr.ending], ["data_loss", "end"]);
});

Deno.test("a request that finds no room for its streams opens none of them", async () => {
  using pair = new SessionPair();
  const messenger = new Messenger(pair.dialer, { request: () => Promise.reject(DISK), event: () => {} });
  for (let i = 0; i < MAX_STREAMS - 2; i++) pair.dialer.streams.openReceive();
  const [stdout, stderr, artifacts] = [new Collector(), new Collector(), new Collector()];
  const stdio = { stdinBytes: new Uint8Array(0), stdin: null, stdout, stderr, artifacts };
  const request = requestWithStdio(pair.dialer, messenger, stdio, {
    method: (stdio) => ({ case: "runTask", value: { stdio } }),
  });
  await rejects(request, { code: "resource_exhausted" });
  equal(pair.dialer.streams.size, MAX_STREAMS - 2);
});
