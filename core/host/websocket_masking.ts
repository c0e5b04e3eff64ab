/** Which mask the payloads of a WebSocket get. */

import type { Masking } from "./websocket_frame_writer.ts";

/**
 * For a client its URL, for a server's side nothing. Masking keeps proxies from mistaking a payload for a request. None can
 * look into TLS and there is none on loopback: there the key stays zero, which spares both sides a pass over every byte.
 */
export function maskingOf(url: string | undefined): Masking {
  if (!url) return "none";
  const { protocol, hostname } = new URL(url);
  const open = protocol === "ws:" && !/^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
  return open ? "random" : "zeros";
}
