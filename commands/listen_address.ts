/** Addresses to listen on: `localhost:4080`, `:4080` for all addresses, `4080` for this machine, `[::1]:0`. */

import { usageError } from "./usage_error.ts";

export interface ListenAddress {
  /** Name or address; null means all addresses of the machine. */
  readonly host: string | null;
  /** 0 lets the system choose. */
  readonly port: number;
}

const ADDRESS = /^(?:(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]*)):)?(\d{1,5})$/i;

/** Reads an address; anything else is wrong usage. */
export function parseListenAddress(text: string): ListenAddress {
  const match = ADDRESS.exec(text);
  const port = Number(match?.[3] ?? NaN);
  if (match === null || !(port <= 65_535)) {
    throw usageError(`"${text}" is no address to listen on: write "localhost:4080" or ":4080"`);
  }
  const [, address, name] = match;
  if (address !== undefined) return { host: address, port };
  // No colon at all: a bare port stays on this machine, because being reachable should be asked for.
  if (name === undefined) return { host: "localhost", port };
  return { host: name === "" ? null : name, port };
}

/** Writes an address so that `parseListenAddress` reads it back. */
export function formatListenAddress({ host, port }: ListenAddress): string {
  if (host === null) return `:${port}`;
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
