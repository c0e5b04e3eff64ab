/** A WebTransport server over real QUIC on a free port, and our client for it. */

import { silent } from "../../core/log.ts";
import { dialWebTransport, type DialWebTransportOptions } from "../../core/host/dial_webtransport.ts";
import { QuicListener } from "../../core/host/quic_listener.ts";
import { ALPN_HTTP3 } from "../../core/host/quic_options.ts";
import { quicStreamErrorCode } from "../../core/host/quic_stream_error.ts";
import type { WebTransportLimits } from "../../core/webtransport/limits.ts";
import type { WebTransportRoute } from "../../core/webtransport/route.ts";
import { WebTransportServer } from "../../core/webtransport/server.ts";
import type { WebTransportSession } from "../../core/webtransport/session.ts";
import { makeTestCertificate } from "./test_certificate.ts";

/** Made once in a process. */
let certificate: ReturnType<typeof makeTestCertificate> | undefined;

export interface WebTransportPair extends AsyncDisposable {
  readonly listener: QuicListener;
  /** https://127.0.0.1:PORT */
  readonly origin: string;
  readonly hash: Uint8Array<ArrayBuffer>;
  /** What `onError` of the server heard, in order. */
  readonly errors: readonly unknown[];
  /** Sessions of our client; they are closed at the end. */
  dial(path: string, options?: DialWebTransportOptions): Promise<WebTransportSession>;
  /** Ends all connections, as the signal of a server does; resolves when they have ended. */
  stop(): Promise<void>;
}

/** Opens a server; what it serves is not limited to our client. */
export async function openWebTransportPair(
  routes: Readonly<Record<string, WebTransportRoute>>,
  limits: Partial<WebTransportLimits> = {},
): Promise<WebTransportPair> {
  certificate ??= makeTestCertificate();
  const { cert, key, hash } = await certificate;
  const errors: unknown[] = [];
  const stopped = new AbortController();
  const connections = new Set<Promise<void>>();
  const server = new WebTransportServer({
    ...{ routes, limits, streamErrorCode: quicStreamErrorCode },
    onError: (error) => errors.push(error),
  });
  const listener = await QuicListener.listen({
    ...{ hostname: "127.0.0.1", port: 0, credentials: { cert, key } },
    ...{ alpnProtocols: [ALPN_HTTP3], logger: silent },
    onConnection: (connection) => {
      const served = server.serve(connection, stopped.signal);
      connections.add(served);
      served.then(() => connections.delete(served));
    },
  });
  const origin = `https://127.0.0.1:${listener.address.port}`;
  const sessions: WebTransportSession[] = [];
  const stop = async () => {
    stopped.abort();
    await Promise.all(connections);
  };
  return {
    ...{ listener, origin, errors, stop, hash: new Uint8Array(hash) },
    async dial(path, options = {}) {
      const session = await dialWebTransport(origin + path, { certHashes: [hash], ...options });
      sessions.push(session);
      return session;
    },
    async [Symbol.asyncDispose]() {
      for (const session of sessions) session.close();
      await Promise.allSettled(sessions.map(({ closed }) => closed));
      await stop();
      await listener.close();
    },
  };
}
