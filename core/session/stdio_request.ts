/** A request whose guest's stdio flows over streams of the session: the side that asks. */

import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ByteSink, ByteSource } from "../byte_stream.ts";
import { WasimoffError } from "../errors.ts";
import type { StdioSchema } from "../protocol/gen/wasimoff/v2/wasimoff_pb.ts";
import type { Messenger, MethodInit, Result } from "../protocol/messenger.ts";
import { CANCEL_GRACE_MS } from "../protocol/limits.ts";
import { type Break, pump } from "../pump.ts";
import type { ReceiveStream } from "./receive_stream.ts";
import type { SendStream } from "./send_stream.ts";
import type { Session } from "./session.ts";

/** How long output may fail to come that an answer has announced. */
const OUTPUT_TIMEOUT_MS = 10_000;

/** Where the bytes of a guest come from and go to, on the side that asks. */
export interface Stdio {
  /** First bytes of stdin; they travel with the request, so they share its 64 KiB. */
  readonly stdinBytes: Uint8Array;
  /** What follows them; null when they were all. */
  readonly stdin: ByteSource | null;
  readonly stdout: ByteSink;
  readonly stderr: ByteSink;
  /** null when none were asked for. */
  readonly artifacts: ByteSink | null;
  /** Left out when no result of a Python program is wanted. */
  readonly result?: ByteSink | null;
}

export interface StdioRequestOptions {
  /** The request with the streams it names. */
  readonly method: (stdio: MessageInitShape<typeof StdioSchema>) => MethodInit;
  /** Called within the sending, with the request's id. */
  readonly sent?: (id: number) => void;
  /** Called when the answer is there and outputs are still on their way. */
  readonly answered?: () => void;
  /** Aborting cancels the request; its answer is still awaited. */
  readonly signal?: AbortSignal;
}

export interface StdioAnswer {
  readonly result: Result;
  /** An output that did not come to its proper end; null when all did. */
  readonly broken: Break | null;
}

/** stdin and four outputs. */
const MAX_STREAMS_OF_REQUEST = 5;

interface Output {
  readonly stream: ReceiveStream;
  readonly done: Promise<Break | null>;
}

interface Outputs {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly artifacts: Output | null;
  readonly result: Output | null;
}

/**
 * Sends the request, moves stdin and the outputs, and resolves when the answer is there and every output was
 * written. A source or sink of ours that fails cancels the request with its cause.
 */
export async function requestWithStdio(
  session: Session,
  messenger: Messenger,
  stdio: Stdio,
  { method, sent, answered, signal }: StdioRequestOptions,
): Promise<StdioAnswer> {
  session.streams.checkRoom(MAX_STREAMS_OF_REQUEST); // all or none: what is opened here is closed below
  // Aborted by the caller's signal, or by a source or sink of ours that fails.
  const cancel = new AbortController();
  const forward = () => cancel.abort(signal!.reason);
  if (signal?.aborted) forward();
  else signal?.addEventListener("abort", forward, { once: true });
  const outputs = openOutputs(session, stdio, cancel);
  const stdin = stdio.stdin === null ? null : session.streams.openSend();
  try {
    const result = await messenger.request(
      method({
        stdinBytes: stdio.stdinBytes,
        stdin: stdin?.id ?? 0,
        stdout: outputs.stdout.stream.id,
        stderr: outputs.stderr.stream.id,
        artifacts: outputs.artifacts?.stream.id ?? 0,
        result: outputs.result?.stream.id ?? 0,
      }),
      {
        signal: cancel.signal,
        sent: (id) => {
          sent?.(id);
          if (stdin !== null) void sendStdin(stdio.stdin!, stdin, cancel);
        },
      },
    );
    if (!endUnusedOutputs(outputs, result)) return { result, broken: await firstBreak(outputs) };
    answered?.();
    return { result, broken: await outputsDone(session, outputs, cancel.signal) };
  } catch (error) {
    const cause = WasimoffError.from(error);
    cancelOutputs(outputs, cause);
    throw cause;
  } finally {
    signal?.removeEventListener("abort", forward);
    if (stdin !== null) endStdin(stdio.stdin!, stdin);
  }
}

function endStdin(source: ByteSource, stream: SendStream): void {
  const over = new WasimoffError("canceled", "task has ended");
  stream.abort(over);
  source.cancel(over);
}

function openOutputs(session: Session, stdio: Stdio, broken: AbortController): Outputs {
  const open = (sink: ByteSink): Output => {
    const stream = session.streams.openReceive();
    const done = pump(stream, sink).then((end) => {
      if (end?.side === "sink") broken.abort(end.cause);
      return end;
    });
    return { stream, done };
  };
  return {
    stdout: open(stdio.stdout),
    stderr: open(stdio.stderr),
    artifacts: stdio.artifacts === null ? null : open(stdio.artifacts),
    result: stdio.result ? open(stdio.result) : null,
  };
}

/** A guest that reads no more is no failure; a stdin that cannot be read is. */
async function sendStdin(source: ByteSource, stream: SendStream, broken: AbortController): Promise<void> {
  const end = await pump(source, stream);
  if (end?.side === "source") broken.abort(end.cause);
}

/**
 * Waits for the ends of all, as long as our own sinks take. A peer that owes bytes gets OUTPUT_TIMEOUT_MS to
 * twice that while it is connected, and after a cancel not longer than it has for its answer.
 */
async function outputsDone(session: Session, outputs: Outputs, canceled: AbortSignal): Promise<Break | null> {
  let grace: ReturnType<typeof setTimeout> | undefined;
  const limit = () => {
    grace = setTimeout(() => cancelOutputs(outputs, WasimoffError.from(canceled.reason)), CANCEL_GRACE_MS);
  };
  if (canceled.aborted) limit();
  else canceled.addEventListener("abort", limit, { once: true });
  const starved = new Set<ReceiveStream>();
  const watch = setInterval(() => session.connected && endStarved(outputs, starved), OUTPUT_TIMEOUT_MS);
  try {
    return await firstBreak(outputs);
  } finally {
    clearInterval(watch);
    clearTimeout(grace);
    canceled.removeEventListener("abort", limit);
  }
}

/** Gives up the streams that were starved at the last look, too. */
function endStarved({ stdout, stderr, artifacts, result }: Outputs, before: Set<ReceiveStream>): void {
  for (const { stream } of [stdout, stderr, artifacts, result].filter((output) => output !== null)) {
    if (!stream.starved) before.delete(stream);
    else if (before.has(stream)) {
      stream.cancel(new WasimoffError("unavailable", "announced output did not come"));
    } else before.add(stream);
  }
}

async function firstBreak({ stdout, stderr, artifacts, result }: Outputs): Promise<Break | null> {
  return await stdout.done ?? await stderr.done ?? await artifacts?.done ?? await result?.done ?? null;
}

function cancelOutputs({ stdout, stderr, artifacts, result }: Outputs, cause: WasimoffError): void {
  for (const output of [stdout, stderr, artifacts, result]) output?.stream.cancel(cause);
}

/** Whether any output is still to come to its end. */
function endUnusedOutputs({ stdout, stderr, artifacts, result }: Outputs, answer: Result): boolean {
  const lengths = "lengths" in answer.value ? answer.value.lengths : undefined;
  const ended = [
    endUnused(stdout, lengths?.stdout),
    endUnused(stderr, lengths?.stderr),
    endUnused(artifacts, lengths?.artifacts),
    endUnused(result, lengths?.result),
  ];
  return ended.includes(false);
}

/** A stream that was never used gets no END frame: the answer says so instead. */
function endUnused(output: Output | null, length: bigint | undefined): boolean {
  if (length !== undefined && length !== 0n) return output === null;
  output?.stream.endUnused();
  return true;
}
