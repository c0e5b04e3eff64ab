/** Where a Brickchain server is: `brickchain+https://HOST` as `--url`. */

import { WasimoffError } from "../errors.ts";
import type { Registered } from "./brickchain_link.ts";

export interface BrickchainEndpoint {
  /** As tokens name it: what stands after `brickchain+`, to the letter, as servers compare it with a prefix. */
  readonly uri: string;
  readonly origin: string;
  /** Where tunnel clients connect. */
  readonly webSocket: string;
}

const PREFIX = "brickchain+";

/** Null for a URL of another kind; throws `invalid_argument` for one that says more than scheme, host and port. */
export function brickchainEndpoint(text: string): BrickchainEndpoint | null {
  if (!text.startsWith(PREFIX)) return null;
  const uri = text.slice(PREFIX.length);
  const url = URL.parse(uri);
  const plain = url !== null && /^https?:$/.test(url.protocol) && url.href === `${url.origin}/`;
  if (!plain) {
    const message = `"${text}" is no Brickchain server: write it like "brickchain+https://proxy.example.org"`;
    throw new WasimoffError("invalid_argument", message);
  }
  return { uri, origin: url.origin, webSocket: `${url.origin.replace(/^http/, "ws")}/proxy/subscribe` };
}

/** Where the public finds a client. */
export function brickchainPublicUrl({ origin }: BrickchainEndpoint, { id, hostname }: Registered): string {
  return hostname === "" ? `${origin}/proxy/request/${id}/` : `${new URL(origin).protocol}//${hostname}`;
}
