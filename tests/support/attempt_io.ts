/** Attempts at a provider of wasimoff_v1 without a broker: their streams are arrays. */

import type { AttemptIo, AttemptRequest } from "../../core/broker/provider_peer.ts";
import { spec } from "../core/broker/dispatcher/test_dispatcher.ts";
import { TextSink } from "./memory_cluster.ts";

export interface TestAttempt extends AttemptRequest {
  readonly io: AttemptIo & {
    readonly stdout: TextSink;
    readonly stderr: TextSink;
    readonly artifacts: TextSink | null;
  };
  /** How often it was said to be answered. */
  readonly answers: { count: number };
}

export function attemptOf(changes: Partial<AttemptRequest["spec"]> = {}, signal?: AbortSignal): TestAttempt {
  const answers = { count: 0 };
  const artifacts = changes.artifacts === undefined ? null : new TextSink();
  return {
    id: "a7",
    spec: spec(changes),
    origin: { requester: "10.0.0.1:5", reference: "mine", trace: null },
    io: {
      stdinBytes: new Uint8Array(),
      stdin: null,
      stdout: new TextSink(),
      stderr: new TextSink(),
      artifacts,
    },
    answered: () => answers.count++,
    answers,
    signal: signal ?? new AbortController().signal,
  };
}
