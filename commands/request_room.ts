/** What fits into the request for a task, where arguments, variables and short input travel. */

import { WasimoffError } from "../core/errors.ts";
import { MAX_PAYLOAD_BYTES } from "../core/protocol/limits.ts";
import { formatSize } from "./size.ts";

/** Of a message, for everything else in it: references, paths, labels and headers. */
const OTHER_FIELDS_BYTES = 8 * 1024;
const ROOM_BYTES = MAX_PAYLOAD_BYTES - OTHER_FIELDS_BYTES;
/** Around each text: its field and its length. */
const HEADER_BYTES = 4;

/**
 * How many bytes of input fit beside the arguments and variables; `out_of_range` when these alone are too many,
 * because they cannot go as a stream.
 */
export function requestRoom(args: readonly string[], env: readonly string[]): number {
  const encoder = new TextEncoder();
  let bytes = 0;
  for (const text of [...args, ...env]) bytes += encoder.encode(text).length + HEADER_BYTES;
  if (bytes <= ROOM_BYTES) return ROOM_BYTES - bytes;
  throw new WasimoffError(
    "out_of_range",
    `the arguments and variables have ${bytes} bytes and a request holds ${formatSize(ROOM_BYTES)}: ` +
      "give long ones on standard input or in a file with --dir",
  );
}
