/** What the end of a WebSocket means. */

import { type Code, WasimoffError } from "../errors.ts";

/** Close codes of RFC 6455 7.4.1 and the code that each most likely stands for. */
const CODE_OF_CLOSE: Readonly<Record<number, Code>> = {
  1000: "canceled",
  1001: "unavailable",
  1002: "invalid_argument",
  1003: "unimplemented",
  1005: "unavailable",
  1006: "unavailable",
  1008: "permission_denied",
  1009: "out_of_range",
  1011: "internal",
  1012: "unavailable",
  1013: "resource_exhausted",
};

/** Bytes of a reason that fit into a close frame beside the code. */
export const MAX_CLOSE_REASON_BYTES = 123;

/** The cause behind a close frame, or behind its absence (1006). */
export function closeCause(closeCode: number, reason: string): WasimoffError {
  const code = CODE_OF_CLOSE[closeCode] ?? "unknown";
  const text = closeCode === 1006 ? "connection broke" : `peer closed the connection with ${closeCode}`;
  return new WasimoffError(code, reason === "" ? text : `${text}: ${reason}`);
}

/** What an error of npm ws means, which closes by itself: a bad frame (1002, 1008, 1009) or a socket that broke. */
export function socketFailure(error: NodeJS.ErrnoException, maxBytes: number): WasimoffError {
  if (error.code === "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH") {
    return new WasimoffError("out_of_range", `peer sent a frame above ${maxBytes} bytes`, { cause: error });
  }
  const code = error.code?.startsWith("WS_ERR_") ? "invalid_argument" : "unavailable";
  return new WasimoffError(code, `connection failed: ${error.message}`, { cause: error });
}
