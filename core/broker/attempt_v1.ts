/** One attempt on a provider of wasimoff_v1: whole stdin in, whole outputs back, time limits by our own clock. */

import { create, isMessage } from "@bufbuild/protobuf";
import type { ByteSink } from "../byte_stream.ts";
import { cutText } from "../cut_text.ts";
import { WasimoffError } from "../errors.ts";
import { failed, type Outcome } from "../outcome.ts";
import {
  Task_CancelSchema,
  Task_Pyodide_ResponseSchema,
  Task_Wasip1_ResponseSchema,
} from "../protocol/gen/wasimoff/v1/messages_pb.ts";
import type { MessengerV1 } from "../protocol/messenger_v1.ts";
import {
  type AttemptPartsV1,
  decodeAnswerV1,
  decodePythonAnswerV1,
  encodeAttemptV1,
  type OutputV1,
} from "./attempt_codec_v1.ts";
import { unlessAborted } from "../unless_aborted.ts";
import { collectStdin } from "./collect_stdin.ts";
import type { AttemptReport, AttemptRequest } from "./provider_peer.ts";
import { requestWithin } from "./request_within.ts";

/** How long a task may run that nobody has given a limit, as these providers have none of their own. */
export const MAX_TASK_V1_MS = 24 * 3600 * 1000;
/** How long a provider may take to confirm a cancel; less than the dispatcher waits. */
export const CANCEL_TIMEOUT_MS = 5_000;
/** Of a version, as a provider tells it. */
const MAX_VERSION_BYTES = 128;
/** What the existing broker gives as the reason (wasimoff-v1 4.1). */
const CANCEL_REASON = "context canceled";

export interface AttemptV1Options extends Omit<AttemptPartsV1, "stdin"> {
  readonly messenger: MessengerV1;
  /** Called when the provider did not confirm a cancel; the attempt's end is told first. */
  readonly stuck: (cause: WasimoffError) => void;
}

/** Runs an attempt as `ProviderPeer.runAttempt` promises. */
export async function runAttemptV1(
  attempt: AttemptRequest,
  options: AttemptV1Options,
): Promise<AttemptReport> {
  const { spec, signal } = attempt;
  const limitMs = Math.min(spec.timeoutMs ?? MAX_TASK_V1_MS, MAX_TASK_V1_MS);
  const overdue = new WasimoffError(
    "deadline_exceeded",
    `task ran longer than its timeout: ${limitMs / 1000} s`,
  );
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(overdue), limitMs);
  const cancel = () => stop.abort(signal.reason);
  if (signal.aborted) cancel();
  else signal.addEventListener("abort", cancel, { once: true });
  const startedAt = performance.now();
  const elapsedMs = () => performance.now() - startedAt;
  try {
    const answer = await ask(attempt, options, stop.signal);
    clearTimeout(timer);
    const durationMs = elapsedMs();
    attempt.answered();
    const outcome = await unlessAborted(deliver(answer.output, answer.outcome, attempt), signal);
    return { outcome, durationMs, trace: answer.trace, pythonVersion: versionOf(answer.output) };
  } catch (error) {
    if (stop.signal.reason !== overdue) throw error;
    return { outcome: failed("timeout", "broker", overdue.message), durationMs: elapsedMs() };
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", cancel);
  }
}

function versionOf(output: OutputV1 | null): string {
  return cutText(output?.version ?? "", MAX_VERSION_BYTES);
}

/** Sends the task and gives its answer. When it is stopped, the provider has confirmed that, or is stuck. */
async function ask(attempt: AttemptRequest, options: AttemptV1Options, stop: AbortSignal) {
  const { messenger } = options;
  const stdin = await collectStdin(attempt.io, stop);
  const request = await unlessAborted(encodeAttemptV1(attempt, { ...options, stdin }), stop);
  try {
    const response = await messenger.request(request, stop);
    const isPython = attempt.spec.python !== undefined;
    if (isPython && isMessage(response, Task_Pyodide_ResponseSchema)) return decodePythonAnswerV1(response);
    if (!isPython && isMessage(response, Task_Wasip1_ResponseSchema)) return decodeAnswerV1(response);
  } catch (error) {
    if (stop.aborted && !messenger.signal.aborted) await cancelTask(attempt.id, options);
    throw error;
  }
  throw new WasimoffError("internal", "provider answered with another kind of message");
}

/** Resolves when the provider has confirmed; else it is reported stuck, after the attempt's own end. */
async function cancelTask(id: string, { messenger, stuck }: AttemptV1Options): Promise<void> {
  try {
    const cancel = create(Task_CancelSchema, { id, reason: CANCEL_REASON });
    await requestWithin(messenger, cancel, CANCEL_TIMEOUT_MS);
  } catch (error) {
    const cause = WasimoffError.from(error);
    setTimeout(() => stuck(cause));
  }
}

/** Writes what came, up to the limit of the task, and gives the task's end. */
async function deliver(
  output: OutputV1 | null,
  outcome: Outcome,
  { spec, io }: Pick<AttemptRequest, "spec" | "io">,
): Promise<Outcome> {
  const result = io.result ?? null;
  const sinks = [io.stdout, io.stderr, io.artifacts, result].filter((sink) => sink !== null);
  if (output === null) {
    sinks.forEach(endEmpty);
    return outcome;
  }
  const artifacts = output.artifacts?.blob ?? null;
  if (io.artifacts !== null && artifacts === null) {
    throw new WasimoffError("internal", "provider answered without the artifacts that the task asked for");
  }
  let leftBytes = spec.outputBytes ?? Infinity;
  const limited = (bytes: Uint8Array = new Uint8Array()) => {
    const part = bytes.length <= leftBytes ? bytes : bytes.subarray(0, leftBytes);
    leftBytes -= part.length;
    return part;
  };
  const [stdout, stderr] = [limited(output.stdout), limited(output.stderr)];
  await Promise.all([
    writeWhole(io.stdout, stdout),
    writeWhole(io.stderr, stderr),
    ...(io.artifacts === null ? [] : [writeWhole(io.artifacts, artifacts!)]),
    ...(result === null ? [] : [writeWhole(result, output.pickle ?? new Uint8Array())]),
  ]);
  const wanted = (output.stdout?.length ?? 0) + (output.stderr?.length ?? 0);
  return stdout.length + stderr.length === wanted ? outcome : failed(
    "limit",
    "broker",
    `guest wrote more output than its limit: ${spec.outputBytes} bytes`,
  );
}

async function writeWhole(sink: ByteSink, bytes: Uint8Array): Promise<void> {
  if (bytes.length > 0) await sink.write(bytes);
  sink.end();
}

/** A failed task has lost its output. What an earlier attempt has said cannot be ended properly by silence. */
function endEmpty(sink: ByteSink): void {
  try {
    sink.end();
  } catch (error) {
    sink.abort(WasimoffError.from(error));
  }
}
