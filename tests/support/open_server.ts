/**
 * The one way in which tests open node: servers, and with them the sockets on both sides: Deno's sanitizers do not
 * see those, so a test fails here when one is still open at its end.
 */

import { strictEqual } from "node:assert/strict";
import type { HttpServer, HttpServerOptions } from "../../core/host/http_server.ts";
import { serveHttp } from "../../core/host/http_server.ts";
import { silent } from "../../core/log.ts";

/** Time that sockets under way to their end may take. */
const SETTLE_MS = 2_000;

/** What a test with sockets gets. */
export class TestNet {
  readonly #servers: HttpServer[] = [];

  /** Starts a server on a free port of 127.0.0.1; the test closes it. */
  async serve(options: Partial<HttpServerOptions> & Pick<HttpServerOptions, "fetch">): Promise<HttpServer> {
    const server = await serveHttp({ hostname: "127.0.0.1", port: 0, logger: silent, ...options });
    this.#servers.push(server);
    return server;
  }

  /** Throws when a server listens or has a socket; closes them all the same. */
  async assertClosed(): Promise<void> {
    for (const server of this.#servers) {
      const { listening } = server;
      await waitUntil(() => server.connections === 0 || listening);
      const { connections } = server;
      await server.close();
      strictEqual(listening, false, "a server is still open at the end of the test");
      strictEqual(connections, 0, "sockets are still open at the end of the test");
    }
  }
}

/** A test whose servers and sockets must be closed at its end. */
export function netTest(name: string, run: (net: TestNet) => Promise<void>): void {
  Deno.test(name, async () => {
    const net = new TestNet();
    try {
      await run(net);
    } catch (error) {
      await net.assertClosed().catch(() => {}); // the first failure is the one to show
      throw error;
    }
    await net.assertClosed();
  });
}

/** Waits for something that no event tells; gives up after SETTLE_MS, and the caller's assertion says what. */
export async function waitUntil(condition: () => boolean): Promise<void> {
  for (const end = Date.now() + SETTLE_MS; !condition() && Date.now() < end;) {
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Sends text over TCP, with pauses between the pieces, and returns what comes until the end of the connection. */
export async function exchange(port: number, pieces: readonly string[], pauseMs = 0): Promise<string> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const stop = new AbortController();
  const send = async () => {
    for (const piece of pieces) {
      if (stop.signal.aborted) return;
      await connection.write(new TextEncoder().encode(piece));
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  };
  const sending = send().catch(() => {}); // the server may close first
  let text = "";
  for (const buffer = new Uint8Array(65_536);;) {
    const length = await connection.read(buffer).catch(() => null); // a reset is an end, too
    if (length === null) break;
    text += new TextDecoder().decode(buffer.subarray(0, length));
  }
  stop.abort();
  await sending;
  return text;
}
