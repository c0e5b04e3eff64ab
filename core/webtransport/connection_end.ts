/** Why a connection has ended, and with it its sessions. */

import { WasimoffError } from "../errors.ts";
import { HTTP3_CODES } from "./http3_error.ts";
import type { QuicCloseInfo } from "./quic_connection.ts";

/** What one side said when it closed the connection properly; else what went wrong. */
export type ConnectionEnd = WasimoffError | QuicCloseInfo;

/**
 * What the peer meant by closing the connection. Numbers below those of HTTP/3 are codes of a session: some clients
 * (Deno's) end theirs that way.
 */
export function endOf({ closeCode, reason }: QuicCloseInfo): ConnectionEnd {
  if (closeCode === HTTP3_CODES.H3_NO_ERROR) return { closeCode: 0, reason };
  if (closeCode < HTTP3_CODES.H3_NO_ERROR) return { closeCode, reason };
  const detail = `the peer closed the connection with code 0x${closeCode.toString(16)}`;
  return new WasimoffError("unavailable", reason === "" ? detail : `${detail}: ${reason}`);
}

/** The connection broke: `cause` is what QUIC says. */
export function lossOf(cause: unknown): WasimoffError {
  return new WasimoffError("unavailable", `connection lost: ${WasimoffError.from(cause).message}`, { cause });
}

/** For whoever still needed the connection. */
export function errorOf(end: ConnectionEnd): WasimoffError {
  if (end instanceof WasimoffError) return end;
  return new WasimoffError(
    "unavailable",
    `the peer closed the connection: ${end.reason || "no reason given"}`,
  );
}
