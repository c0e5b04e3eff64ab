/** Outcomes as they travel. */

import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { type Origin, type Outcome, type Reason } from "../outcome.ts";
import {
  type Outcome as WireOutcome,
  Outcome_Origin,
  Outcome_Reason,
  OutcomeSchema,
} from "./gen/wasimoff/v2/wasimoff_pb.ts";

const REASON_NUMBERS: Readonly<Record<Reason, Outcome_Reason>> = {
  exit: Outcome_Reason.EXIT,
  timeout: Outcome_Reason.TIMEOUT,
  memory: Outcome_Reason.MEMORY,
  trap: Outcome_Reason.TRAP,
  cancelled: Outcome_Reason.CANCELLED,
  lost: Outcome_Reason.LOST,
  rejected: Outcome_Reason.REJECTED,
  limit: Outcome_Reason.LIMIT,
};

const ORIGIN_NUMBERS: Readonly<Record<Origin, Outcome_Origin>> = {
  guest: Outcome_Origin.GUEST,
  provider: Outcome_Origin.PROVIDER,
  broker: Outcome_Origin.BROKER,
  client: Outcome_Origin.CLIENT,
};

const REASONS = new Map(Object.entries(REASON_NUMBERS).map(([reason, number]) => [number, reason as Reason]));
const ORIGINS = new Map(Object.entries(ORIGIN_NUMBERS).map(([origin, number]) => [number, origin as Origin]));

export function encodeOutcome(
  { reason, origin, status, message }: Outcome,
): MessageInitShape<typeof OutcomeSchema> {
  // A guest's status is an unsigned word: the wire has it signed, as the first generation does.
  return create(OutcomeSchema, {
    reason: REASON_NUMBERS[reason],
    origin: ORIGIN_NUMBERS[origin],
    status: status | 0,
    message,
  });
}

/** The outcome of a peer, or null when it has none that makes sense: an answer without a reason is no answer. */
export function decodeOutcome(outcome: WireOutcome | undefined): Outcome | null {
  if (outcome === undefined) return null;
  const reason = REASONS.get(outcome.reason);
  const origin = ORIGINS.get(outcome.origin);
  if (reason === undefined || origin === undefined) return null;
  return { reason, origin, status: outcome.status, message: outcome.message };
}
