/** What a person is told when the broker cannot be reached. */

import { WasimoffError } from "../core/errors.ts";
import { TRUST_ADVICE } from "../core/host/server_trust.ts";

/** Causes that are looked at, in case they form a ring. */
const MAX_CAUSES = 8;

/** An `unavailable` in the words of the URL that was given; what is one of ours already says more. */
export function unreachableBroker({ href }: URL, cause: unknown): WasimoffError {
  const texts = causes(cause);
  const failed = `cannot reach the broker at "${href}"`;
  if (texts.some((text) => /connection refused|ECONNREFUSED/i.test(text))) {
    return new WasimoffError("unavailable", `${failed}: start one with "wasimoff broker"`, { cause });
  }
  if (cause instanceof WasimoffError) return cause;
  const untrusted = texts.find((text) => /invalid peer certificate/.test(text));
  const detail = untrusted === undefined
    ? detailOf(texts.at(-1) ?? "no reason given")
    : `its certificate is not trusted (${detailOf(untrusted)}), ${TRUST_ADVICE}`;
  return new WasimoffError("unavailable", `${failed}: ${detail}`, { cause });
}

function causes(thrown: unknown): string[] {
  const texts: string[] = [];
  for (let error = thrown; error instanceof Error && texts.length < MAX_CAUSES; error = error.cause) {
    texts.push(error.message);
  }
  return texts;
}

/** Without what fetch says on its way there. */
function detailOf(text: string): string {
  return text.replace(/^error sending request for url \(.*?\): /, "").replace(
    /^client error \(Connect\): /,
    "",
  );
}
