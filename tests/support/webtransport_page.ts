/** A page of a real browser beside a WebTransport server, for tests of what they say to each other. */

import { QuicListener } from "../../core/host/quic_listener.ts";
import { quicStreamErrorCode } from "../../core/host/quic_stream_error.ts";
import { silent } from "../../core/log.ts";
import type { WebTransportLimits } from "../../core/webtransport/limits.ts";
import type { QuicConnection } from "../../core/webtransport/quic_connection.ts";
import type { WebTransportRoute } from "../../core/webtransport/route.ts";
import { WebTransportServer } from "../../core/webtransport/server.ts";
import type { PageTools } from "../browser/scripts/webtransport_page.ts";
import { openChromium } from "./chromium.ts";
import { openPageServer } from "./page_server.ts";
import { makeTestCertificate } from "./test_certificate.ts";

export interface WebTransportPage extends AsyncDisposable {
  /** Of the page, as the server sees it. */
  readonly origin: string;
  /** The QUIC connections that the server has had, in order. */
  readonly connections: readonly QuicConnection[];
  /** Runs a function in the page; it sees nothing of the test but what it is given. */
  run<A, R>(inPage: (tools: PageTools, argument: A) => R, argument: A): Promise<Awaited<R>>;
}

export interface PageWithServerOptions {
  readonly routes: Readonly<Record<string, WebTransportRoute>>;
  readonly limits?: Partial<WebTransportLimits>;
  /** Of tests/browser/scripts; it must set `tools`. */
  readonly script?: string;
}

/** Opens the server, and a page in a browser of its own. */
export async function openWebTransportPage(options: PageWithServerOptions): Promise<WebTransportPage> {
  const stack = new AsyncDisposableStack();
  try {
    const { connections, url, hash } = await openServer(options, stack);
    const { origin } = stack.use(openPageServer(options.script ?? "webtransport_page"));
    const { browser } = stack.use(await openChromium());
    const page = await browser.newPage();
    await page.goto(origin, { waitUntil: "load" });
    const tools = await page.evaluateHandle(() => (globalThis as unknown as { tools: PageTools }).tools);
    await page.evaluate((tools, url, hash) => tools.useServer(url, hash), tools, url, hash);
    const run: WebTransportPage["run"] = (inPage, argument) => {
      const running = (page.evaluate as (...args: readonly unknown[]) => Promise<never>)(
        inPage,
        tools,
        argument,
      );
      running.catch(() => {}); // whoever waits for it later learns it then
      return running;
    };
    const ending = stack.move();
    return { origin, connections, run, [Symbol.asyncDispose]: () => ending.disposeAsync() };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

async function openServer({ routes, limits }: PageWithServerOptions, stack: AsyncDisposableStack) {
  const { cert, key, hash } = await makeTestCertificate();
  const server = new WebTransportServer({
    routes,
    streamErrorCode: quicStreamErrorCode,
    ...(limits && { limits }),
  });
  const connections: QuicConnection[] = [];
  const serving: Promise<void>[] = [];
  stack.defer(async () => void await Promise.all(serving));
  const listener = await QuicListener.listen({
    hostname: "127.0.0.1",
    port: 0,
    credentials: { cert, key },
    alpnProtocols: ["h3"],
    onConnection: (connection) => {
      connections.push(connection);
      serving.push(server.serve(connection));
    },
    logger: silent,
  });
  stack.defer(() => listener.close());
  return { connections, url: `https://127.0.0.1:${listener.address.port}`, hash: hash.toHex() };
}
