/** Collects what a guest has left behind in a slot. */

import { cutText } from "../cut_text.ts";
import { WasimoffError } from "../errors.ts";
import { failed, type Outcome } from "../outcome.ts";
import { packArtifacts } from "../wasi/artifacts.ts";
import { packLenientArtifacts } from "../wasi/lenient_artifacts.ts";
import type { Preopen } from "../wasi/program.ts";
import type { RunHeader } from "./slot_headers.ts";

/** So many missing ones are named; of the others only their number is told. */
const NAMED_MISSING = 3;
/** Of each name in a message, as UTF-8. */
const MAX_NAMED_BYTES = 200;

export interface SlotArtifacts {
  /** All that is there of what was asked for; null for nothing. */
  readonly zip: Uint8Array | null;
  /** Why that is not everything. */
  readonly problem: Outcome | null;
}

export async function collectArtifacts(
  { artifacts, lenientArtifacts, limits }: Pick<RunHeader, "artifacts" | "lenientArtifacts" | "limits">,
  preopens: readonly Preopen[],
): Promise<SlotArtifacts> {
  if (artifacts.length === 0) return { zip: null, problem: null };
  const options = { maxBytes: limits.artifactBytes };
  try {
    if (lenientArtifacts) {
      return { zip: await packLenientArtifacts(preopens, artifacts, options), problem: null };
    }
    const { zip, missing } = await packArtifacts(preopens, artifacts, options);
    return { zip, problem: missing.length === 0 ? null : failed("rejected", "provider", notFound(missing)) };
  } catch (error) {
    if (!(error instanceof WasimoffError)) throw error;
    const reason = error.code === "out_of_range" ? "limit" : "rejected";
    return { zip: null, problem: failed(reason, "provider", error.message) };
  }
}

function notFound(missing: readonly string[]): string {
  const names = missing.slice(0, NAMED_MISSING).map((path) => JSON.stringify(cutText(path, MAX_NAMED_BYTES)));
  const others = missing.length > NAMED_MISSING ? ` and ${missing.length - NAMED_MISSING} more` : "";
  return `artifact not found: ${names.join(", ")}${others}`;
}
