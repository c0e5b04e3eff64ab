/** Names of tunnels: labels of DNS, as they become part of a host name. */

import { WasimoffError } from "../errors.ts";

/** What an id of a key looks like; nobody but its owner may be called so. */
const KEY_ID = /^[a-z2-7]{52}$/;
const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** What programs look up by themselves below any domain, mail programs too, and what would pass for the broker itself. */
const RESERVED: ReadonlySet<string> = new Set([
  ...["autoconfig", "autodiscover", "isatap", "wpad"],
  ...["imap", "mail", "pop", "smtp"],
  ...["broker", "localhost", "wasimoff", "www"],
]);

/** Throws `invalid_argument` for a name that nobody may have. */
export function checkTunnelName(name: string): void {
  if (!LABEL.test(name) || name.startsWith("xn--")) {
    const message = `tunnel name "${shown(name)}" is not allowed: use 1 to 63 of a-z, 0-9 and "-" inside`;
    throw new WasimoffError("invalid_argument", message);
  }
  if (RESERVED.has(name) || KEY_ID.test(name)) {
    throw new WasimoffError("invalid_argument", `tunnel name "${name}" is reserved: use another`);
  }
}

/** A stranger's text, made harmless for a line of ours. */
function shown(name: string): string {
  return name.slice(0, 80).replaceAll(/[^\x20-\x7e]/g, "?");
}
