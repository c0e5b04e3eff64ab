/** Texts of peers, short enough to be kept and to travel in one message. */

import { MAX_MESSAGE_CHARS } from "./limits.ts";

export function clipped(text: string): string {
  return text.length <= MAX_MESSAGE_CHARS ? text : `${text.slice(0, MAX_MESSAGE_CHARS)}…`;
}
