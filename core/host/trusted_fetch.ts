/** `fetch` from servers whose certificates are trusted by us alone. */

import type { IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { pipeline, Readable } from "node:stream";
import { openPinnedSocket } from "./pinned_socket.ts";
import type { ServerTrust } from "./server_trust.ts";

export interface TrustedFetch extends Disposable {
  /** Of servers known by a hash it follows no redirect and takes no body but of bytes. */
  readonly fetch: typeof fetch;
}

/** Disposing ends the connections that are kept for further requests. */
export function openFetch(trust: ServerTrust): TrustedFetch {
  const { caCerts, certHashes } = trust;
  if (certHashes.length > 0) return { fetch: pinnedFetch(certHashes), [Symbol.dispose]: () => {} };
  if (caCerts.length === 0) return { fetch, [Symbol.dispose]: () => {} };
  const client = Deno.createHttpClient({ caCerts: [...caCerts] });
  return {
    fetch: (input, init) => fetch(input, { ...init, client }),
    [Symbol.dispose]: () => client.close(),
  };
}

/** Deno's own knows no hashes. Each request has a connection of its own. */
function pinnedFetch(certHashes: readonly Uint8Array[]): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    const url = new URL(request.url);
    if (url.protocol !== "https:") return await fetch(request);
    const { signal } = request;
    const socket = await openPinnedSocket(url, { certHashes, signal });
    const leave = () => void socket.destroy();
    signal.addEventListener("abort", leave, { once: true });
    socket.once("close", () => signal.removeEventListener("abort", leave));
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const outgoing = httpsRequest(url, {
      method: request.method,
      headers: { ...Object.fromEntries(request.headers), connection: "close" },
      createConnection: () => socket,
    });
    const fail = (error: unknown) => reject(signal.aborted ? signal.reason : error);
    outgoing.once("response", resolve);
    outgoing.on("error", fail);
    if (request.body === null) outgoing.end();
    else {
      const body = Readable.fromWeb(request.body as Parameters<typeof Readable.fromWeb>[0]);
      body.once("error", fail); // the socket then only says that it hangs up
      pipeline(body, outgoing, (error) => error && fail(error));
    }
    return responseOf(await promise, request.method);
  };
}

/** Statuses whose responses have no body, and may be given none. */
const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

function responseOf(incoming: IncomingMessage, method: string): Response {
  const { statusCode: status = 500, rawHeaders } = incoming;
  const headers = new Headers();
  for (let i = 0; i < rawHeaders.length; i += 2) headers.append(rawHeaders[i]!, rawHeaders[i + 1]!);
  const bare = method === "HEAD" || WITHOUT_BODY.has(status);
  if (bare) incoming.resume();
  return new Response(bare ? null : Readable.toWeb(incoming) as ReadableStream<Uint8Array<ArrayBuffer>>, {
    status,
    headers,
  });
}
