/** What a tunnel client asks for, checked: its texts are hostile until here. */

import { WasimoffError } from "../errors.ts";
import { MAX_TUNNEL_RULES } from "../protocol/limits.ts";
import { type OpenTunnel, OpenTunnel_Kind as Kind } from "../protocol/gen/wasimoff/v2/wasimoff_pb.ts";
import type { TunnelSpec } from "../tunnel/registered_tunnel.ts";
import { AddressRanges } from "./identity/address_ranges.ts";
import { hostName } from "./identity/loopback_rule.ts";

/** Random bytes of a process: as many as make them unique, and a little more. */
const MIN_INSTANCE_BYTES = 8;
const MAX_INSTANCE_BYTES = 64;
const DIGEST_BYTES = 32;
const MAX_PORT = 65_535;
/** A host name has at most 253 characters, a port six with its colon. */
const MAX_HOST_CHARS = 260;

/** Throws `invalid_argument` for what no honest client sends, `permission_denied` for what is meant for another broker. */
export function checkOpenTunnel(request: OpenTunnel, requestedHost: string): void {
  const { kind, audience, instance, basicAuth, allowCidrs, port, hostHeader } = request;
  if (kind !== Kind.HTTP && kind !== Kind.TCP) refuse("kind is not known here");
  if (instance.length < MIN_INSTANCE_BYTES || instance.length > MAX_INSTANCE_BYTES) {
    refuse(`instance must have ${MIN_INSTANCE_BYTES} to ${MAX_INSTANCE_BYTES} bytes`);
  }
  if (basicAuth.length > MAX_TUNNEL_RULES || allowCidrs.length > MAX_TUNNEL_RULES) {
    refuse(`more than ${MAX_TUNNEL_RULES} passwords or ranges of addresses`);
  }
  if (basicAuth.some((digest) => digest.length !== DIGEST_BYTES)) refuse("a password is no SHA-256");
  if (port > MAX_PORT) refuse(`port ${port} is none`);
  if (!/^[\x21-\x7e]*$/.test(hostHeader) || hostHeader.length > MAX_HOST_CHARS) {
    refuse("host header is no host");
  }
  const http = hostHeader !== "" || basicAuth.length > 0;
  if (kind === Kind.TCP && http) refuse("host header and passwords are for HTTP");
  if (kind === Kind.HTTP && port !== 0) refuse("ports are for TCP");
  if (audience.length > MAX_HOST_CHARS || hostName(audience) !== hostName(requestedHost)) {
    throw new WasimoffError(
      "permission_denied",
      "registration is for another broker: its audience is not this host",
    );
  }
}

/** The tunnel that the owner of `key` asks for; throws `invalid_argument` for a bad range of addresses. */
export function tunnelSpec(request: OpenTunnel, key: string): TunnelSpec {
  const { kind, name, basicAuth, allowCidrs, hostHeader } = request;
  const ranges = allowCidrs.length === 0 ? null : new AddressRanges(allowCidrs, "allowed address");
  return {
    name: name === "" ? key : name,
    key,
    kind: kind === Kind.HTTP ? "http" : "tcp",
    basicAuth: new Set(basicAuth.map((digest) => digest.toHex())),
    hostHeader: hostHeader || null,
    allows: (address) => ranges === null || ranges.has(address),
  };
}

function refuse(reason: string): never {
  throw new WasimoffError("invalid_argument", `tunnel is not allowed: ${reason}`);
}
