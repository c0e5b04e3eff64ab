/** Why a server could not be reached, in words for people: what `fetch` and sockets say is for programmers. */

import { TRUST_ADVICE } from "./server_trust.ts";

export interface FetchFailure {
  /** The machine is there, and no server listens. */
  readonly refused: boolean;
  readonly reason: string;
}

/** Causes that are looked at, in case they form a ring. */
const MAX_CAUSES = 8;

export function explainFetch(thrown: unknown): FetchFailure {
  const texts: string[] = [];
  for (let error = thrown; error instanceof Error && texts.length < MAX_CAUSES; error = error.cause) {
    texts.push(withoutPlace(error.message));
  }
  if (texts.some((text) => /connection refused|ECONNREFUSED/i.test(text))) {
    return { refused: true, reason: "nothing listens there, start one with: wasimoff broker" };
  }
  const untrusted = texts.find((text) => text.startsWith("invalid peer certificate: "));
  if (untrusted !== undefined) {
    const detail = untrusted.slice("invalid peer certificate: ".length);
    return { refused: false, reason: `its certificate is not trusted (${detail}), ${TRUST_ADVICE}` };
  }
  return { refused: false, reason: texts.at(-1) || "no reason given" };
}

/** Without what `fetch` puts before the reason. */
function withoutPlace(text: string): string {
  return text.replace(/^error sending request (?:for url|from \S+ for \S+) \(.*?\): /, "")
    .replace(/^client error \((?:Connect|SendRequest)\): /, "");
}
