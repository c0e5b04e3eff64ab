/** What is believed of a slot's report: a guest may have broken out and speak through it. */

import { cutText } from "../cut_text.ts";
import type { Outcome, Reason } from "../outcome.ts";
import type { SlotResult } from "./slot.ts";
import type { DoneHeader } from "./slot_headers.ts";
import { broken } from "./slot_protocol.ts";

/** Of a message, as UTF-8: a line, and a long name in it. */
export const MAX_MESSAGE_BYTES = 1024;
/** Of the traceback of a Python exception, which is the message then; its end says most. */
export const MAX_TRACEBACK_BYTES = 16 * 1024;
/** The others are decided outside; a provider's `trap` or `memory` would be the death of a slot. */
const GUEST_REASONS: readonly Reason[] = ["exit", "trap", "memory"];
const PROVIDER_REASONS: readonly Reason[] = ["rejected", "limit"];
const MAX_STATUS = 2 ** 32 - 1;

/** The result of a task that took `elapsedMs` here; `internal` when the slot cannot mean it. */
export function believe(
  { outcome, durationMs, memoryBytes }: DoneHeader,
  { elapsedMs, maxMemoryBytes, maxMessageBytes }: {
    readonly elapsedMs: number;
    readonly maxMemoryBytes: number;
    readonly maxMessageBytes: number;
  },
): SlotResult {
  if (!maySay(outcome)) throw broken(`a task cannot end with "${outcome.reason}" by ${outcome.origin}`);
  if (outcome.status < 0 || outcome.status > MAX_STATUS) throw broken("its status is no unsigned word");
  if (!Number.isInteger(memoryBytes) || memoryBytes > maxMemoryBytes) {
    throw broken("its guest had more memory than there was");
  }
  return {
    outcome: { ...outcome, message: cutText(outcome.message, maxMessageBytes) },
    durationMs: Math.min(durationMs, elapsedMs),
    memoryBytes,
  };
}

function maySay({ reason, origin }: Outcome): boolean {
  if (origin === "guest") return GUEST_REASONS.includes(reason);
  return origin === "provider" && PROVIDER_REASONS.includes(reason);
}
