/** The head of an answer that switches protocols, as a proxy writes it. */

import type { IncomingMessage } from "node:http";
import { endToEndHeaders, valuesOf } from "../tunnel/end_to_end_headers.ts";

/** Latin-1 text up to the empty line. */
export function switchedHead({ statusMessage = "", rawHeaders }: IncomingMessage): string {
  const upgrades = valuesOf(rawHeaders, "upgrade").flatMap((value) => ["Upgrade", value]);
  const headers = ["Connection", "Upgrade", ...upgrades, ...endToEndHeaders(rawHeaders)];
  // Node's parser lets control characters through here.
  let head = `HTTP/1.1 101 ${statusMessage.replaceAll(/[^\t\x20-\x7e\x80-\xff]/g, "")}\r\n`;
  for (let i = 0; i < headers.length; i += 2) head += `${headers[i]}: ${headers[i + 1]}\r\n`;
  return `${head}\r\n`;
}
