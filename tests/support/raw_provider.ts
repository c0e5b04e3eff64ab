/** A provider made by hand, which keeps to the protocol only as far as its test wants. */

import { dialWebSocket } from "../../core/host/websocket_dialer.ts";
import { silent } from "../../core/log.ts";
import {
  Outcome_Origin,
  Outcome_Reason,
  type RunAttempt,
} from "../../core/protocol/gen/wasimoff/v2/wasimoff_pb.ts";
import { SUBPROTOCOL_V2 } from "../../core/protocol/limits.ts";
import { Messenger, type MethodInit, type ResultInit } from "../../core/protocol/messenger.ts";
import type { Connection } from "../../core/session/connection.ts";
import { openSession } from "../../core/session/dialer.ts";
import { encodeFrame, type Frame } from "../../core/session/frame.ts";
import type { Session } from "../../core/session/session.ts";
import { WasimoffError } from "../../core/errors.ts";
import { providerUrl } from "./host_cluster.ts";

export interface RawAttempt {
  readonly attempt: RunAttempt;
  /** Id of the request. */
  readonly id: number;
  readonly session: Session;
  readonly messenger: Messenger;
  /** Sends a frame past the session, which would not send it. */
  forge(frame: Frame): void;
  /** Aborted when the broker cancels the attempt or the session ends. */
  readonly signal: AbortSignal;
}

export interface RawProvider extends AsyncDisposable {
  readonly session: Session;
  readonly messenger: Messenger;
}

type AnnounceInit = Extract<MethodInit, { case: "announce" }>["value"];

/** Opens a session, announces as told, and answers attempts as `answer` does. */
export async function openRawProvider(
  port: number,
  announce: AnnounceInit,
  answer: (attempt: RawAttempt) => Promise<ResultInit>,
): Promise<RawProvider> {
  let connection: Connection | undefined;
  const dial = async (signal: AbortSignal) => {
    ({ connection } = await dialWebSocket(providerUrl(port), { protocols: [SUBPROTOCOL_V2], signal }));
    return connection;
  };
  const signal = new AbortController().signal;
  const session = await openSession({ dial, token: "", agent: "raw", logger: silent, signal });
  const messenger: Messenger = new Messenger(session, {
    request: (method, { id, signal }) => {
      if (method.case !== "runAttempt") throw new TypeError(`the broker asked for ${method.case}`);
      const forge = (frame: Frame) => connection!.send(encodeFrame(frame));
      return answer({ attempt: method.value, id, session, messenger, forge, signal });
    },
    event: () => {},
  });
  await messenger.request({ case: "announce", value: announce });
  const close = () => Promise.resolve(session.close(new WasimoffError("canceled", "raw provider has left")));
  return { session, messenger, [Symbol.asyncDispose]: close };
}

/** The answer of an attempt that ended with a status and without output. */
export function attemptResult(
  attempt: string,
  status: number,
  lengths: { stdout?: bigint; stderr?: bigint; artifacts?: bigint } = {},
): ResultInit {
  const outcome = { reason: Outcome_Reason.EXIT, origin: Outcome_Origin.GUEST, status, message: "" };
  return { case: "attempt", value: { attempt, outcome, durationMs: 1, memory: 0n, lengths } };
}
