/** Offers inside of the path of a URL, as clients send them through an AMP cache (snowflake 3.5). */

import { MessageError } from "./message_error.ts";

export const AMP_PATH = "/amp/client/";

/**
 * The message in what follows AMP_PATH: `0`, anything up to the last slash, base64url without padding. Throws
 * MessageError for anything else.
 */
export function decodeAmpPath(rest: string): string {
  const slash = rest.lastIndexOf("/");
  if (!rest.startsWith("0") || slash < 0) throw new MessageError("cannot decode URL path");
  try {
    const bytes = Uint8Array.fromBase64(rest.slice(slash + 1), { alphabet: "base64url" });
    return new TextDecoder().decode(bytes);
  } catch (cause) {
    throw new MessageError("cannot decode URL path", { cause });
  }
}
