/** Where a Brickchain server is: `brickchain+https://HOST` as `--url`. */

import { WasimoffError } from "../../errors.ts";
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

/** What servers call clients; the names come from strangers and go to terminals. */
const KEY_ID = /^[\w-]{1,128}$/;
const HOSTNAME = /^([a-z0-9.-]{1,253}(:\d{1,5})?)?$/i;

/** Where the public finds a client; throws `data_loss` for names that are none. */
export function brickchainPublicUrl({ origin }: BrickchainEndpoint, { id, hostname }: Registered): string {
  if (!KEY_ID.test(id) || !HOSTNAME.test(hostname)) {
    throw new WasimoffError("data_loss", "server gave us a name that is none: ask whoever runs it");
  }
  return hostname === "" ? `${origin}/proxy/request/${id}/` : `${new URL(origin).protocol}//${hostname}`;
}
