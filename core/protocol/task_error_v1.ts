/** The one text that v1 has for a task which did not end by its own exit, both ways. */

import {
  failed,
  type Outcome,
  type Reason,
  REASONS,
  STATUS_INVALID_MODULE,
  STATUS_NOT_FOUND,
} from "../outcome.ts";

/** As our own providers write it: the reason first, so that it survives the way. */
export function encodeTaskError({ reason, message }: Outcome): string {
  return message === "" ? reason : `${reason}: ${message}`;
}

/**
 * The same for a task in Python: an exception is told by its traceback alone, as existing providers do. Null for a
 * program that came to a good end.
 */
export function encodePythonError(outcome: Outcome): string | null {
  const { reason, status, message } = outcome;
  if (reason === "exit") return status === 0 ? null : `SystemExit: ${status}`;
  return reason === "trap" && message !== "" ? message : encodeTaskError(outcome);
}

const OURS = new RegExp(`^(${REASONS.filter((reason) => reason !== "exit").join("|")})(: |$)`);

/** What existing providers say besides the texts of exceptions of the guest (wasimoff-v1 4.2, 4.5, 4.6, 7.2). */
const THEIRS: readonly (readonly [start: RegExp, status?: number])[] = [
  [/^qos/],
  [/^(Error: )?no workers/],
  [/^(Error: )?zip not found/, STATUS_NOT_FOUND],
  [/^(WebAssembly\.)?(CompileError|LinkError)/, STATUS_INVALID_MODULE],
];

/** The end that a text stands for; an unknown one is an exception that the guest caused. */
export function decodeTaskError(text: string): Outcome {
  const ours = OURS.exec(text);
  if (ours !== null) {
    const reason = ours[1] as Exclude<Reason, "exit">;
    const origin = reason === "trap" || reason === "memory" ? "guest" : "provider";
    return failed(reason, origin, text.slice(ours[0].length));
  }
  const theirs = THEIRS.find(([start]) => start.test(text));
  return theirs === undefined
    ? failed("trap", "guest", text)
    : failed("rejected", "provider", text, theirs[1]);
}
