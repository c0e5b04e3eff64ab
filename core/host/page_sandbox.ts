/** Keeps pages of others that are served on our own host from passing for ours. */

import type { IncomingMessage } from "node:http";
import { isLoopback, parseIpAddress } from "../broker/identity/ip_address.ts";
import { isForwardingHeader } from "../forwarding_headers.ts";
import { type RawHeaders, valuesOf } from "../tunnel/end_to_end_headers.ts";

/** All that pages may do but having our origin, to which the loopback rule would give every right. */
const SANDBOX =
  "sandbox allow-downloads allow-forms allow-modals allow-popups allow-popups-to-escape-sandbox " +
  "allow-scripts allow-top-navigation-by-user-activation";

/** What a page may say for its whole host, and thus for us and for all who share it. */
const OF_WHOLE_HOST: ReadonlySet<string> = new Set([
  "alt-svc",
  "clear-site-data",
  "service-worker-allowed",
  "strict-transport-security",
]);

/** Whether pages that this visitor gets could do more here than others could: this machine needs no token. */
export function mayBeLocal({ socket, headers }: IncomingMessage): boolean {
  const address = parseIpAddress(socket.remoteAddress ?? "");
  return (address === null || isLoopback(address)) && !Object.keys(headers).some(isForwardingHeader);
}

/** Headers without those by which one page speaks for its whole host. */
export function ofOnePage(headers: RawHeaders): string[] {
  return without(headers, (name) => OF_WHOLE_HOST.has(name));
}

/** Headers that give a page an origin of its own, beside what it forbids itself. */
export function sandboxed(headers: RawHeaders): string[] {
  const policies = valuesOf(headers, "content-security-policy");
  const kept = without(headers, (name) => name === "content-security-policy");
  return [...kept, "Content-Security-Policy", [...policies, SANDBOX].join(", ")];
}

function without(headers: RawHeaders, drops: (name: string) => boolean): string[] {
  const kept: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    if (!drops(headers[i]!.toLowerCase())) kept.push(headers[i]!, headers[i + 1]!);
  }
  return kept;
}
