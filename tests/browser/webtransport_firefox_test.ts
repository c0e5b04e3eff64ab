/** Firefox over our WebTransport server: another implementation of the same draft. */

import { deepEqual } from "node:assert/strict";
import { QuicListener } from "../../core/host/quic_listener.ts";
import { quicStreamErrorCode } from "../../core/host/quic_stream_error.ts";
import { silent } from "../../core/log.ts";
import { WebTransportServer } from "../../core/webtransport/server.ts";
import type { WebTransportSession } from "../../core/webtransport/session.ts";
import { firefoxTest, openFirefox } from "../support/firefox.ts";
import { openPageServer } from "../support/page_server.ts";
import { makeTestCertificate } from "../support/test_certificate.ts";
import { within } from "../support/within.ts";

/** Runs in the page: a stream there and back to its end, a datagram, and the end of the session. */
const SCRIPT = `async (url, hash) => {
  const value = new Uint8Array(hash);
  const transport = new WebTransport(url, { serverCertificateHashes: [{ algorithm: "sha-256", value }] });
  await transport.ready;
  const { readable, writable } = await transport.createBidirectionalStream();
  const writer = writable.getWriter();
  await writer.write(new TextEncoder().encode("hello from a page"));
  await writer.close();
  let text = "";
  for await (const chunk of readable) text += new TextDecoder().decode(chunk);
  await transport.datagrams.writable.getWriter().write(Uint8Array.of(1, 2, 3));
  const { value: datagram } = await transport.datagrams.readable.getReader().read();
  transport.close({ closeCode: 7, reason: "bye" });
  return { text, datagram: [...datagram] };
}`;

async function echo(session: WebTransportSession): Promise<void> {
  const datagrams = session.datagrams.readable.pipeTo(session.datagrams.writable).catch(() => {});
  for await (const stream of session.incomingBidirectionalStreams) {
    await stream.readable.pipeTo(stream.writable);
  }
  await datagrams;
}

firefoxTest("a page in Firefox has streams, datagrams and a close with a reason", async () => {
  const closed = Promise.withResolvers<unknown>();
  const route = {
    handle: async (session: WebTransportSession) => {
      await echo(session).catch(() => {});
      closed.resolve(await session.closed);
    },
  };
  const server = new WebTransportServer({ streamErrorCode: quicStreamErrorCode, routes: { "/echo": route } });
  const certificate = await makeTestCertificate();
  const listener = await QuicListener.listen({
    hostname: "127.0.0.1",
    port: 0,
    credentials: certificate,
    alpnProtocols: ["h3"],
    onConnection: (connection) => void server.serve(connection),
    logger: silent,
  });
  try {
    await using pages = openPageServer();
    await using firefox = await openFirefox();
    const page = await firefox.browser.newPage();
    await page.goto(pages.origin);
    const args = [`https://127.0.0.1:${listener.address.port}/echo`, [...certificate.hash]];
    const result = await page.evaluate(`(${SCRIPT})(...${JSON.stringify(args)})`);
    deepEqual(result, { text: "hello from a page", datagram: [1, 2, 3] });
    deepEqual(await within(closed.promise, "the end of the session"), { closeCode: 7, reason: "bye" });
  } finally {
    await listener.close();
  }
});
