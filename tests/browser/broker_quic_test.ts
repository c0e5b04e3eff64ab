/** Pages of a real browser at the QUIC face of a broker. */

import { deepStrictEqual, match } from "node:assert/strict";
import { browserTest, openChromium } from "../support/chromium.ts";
import { startEncrypted, TestCertificates } from "../support/encrypted_cluster.ts";
import { openPageServer } from "../support/page_server.ts";

/** In the page: opens a session by what the broker at `origin` announces, and says how it went. */
async function tryEndpoint(origin: string, endpoint: string): Promise<string> {
  const config = await (await fetch(`${origin}/api/broker/v1/config`)).json();
  const session = new WebTransport(`${config.transport}/${endpoint}`, {
    serverCertificateHashes: config.certhashes.map((hash: string) => ({
      algorithm: "sha-256",
      value: new Uint8Array(hash.match(/../g)!.map((byte) => parseInt(byte, 16))),
    })),
  });
  try {
    await session.ready;
    const open = new Promise<string>((resolve) => setTimeout(() => resolve("open"), 500));
    const ended = session.closed.then(({ closeCode, reason }) => `${closeCode} ${reason}`);
    return await Promise.race([ended, open]);
  } catch (error) {
    return String(error);
  } finally {
    session.close();
  }
}

browserTest(
  "a page of the broker gets in by the announced hashes, before and after a new certificate",
  async () => {
    const certificates = await TestCertificates.make();
    await using cluster = await startEncrypted({ certificates });
    await using chromium = await openChromium();
    const origin = `http://127.0.0.1:${cluster.port}`;
    const page = await chromium.browser.newPage();
    await page.goto(`${origin}/api/version`); // the broker has no nicer page yet
    deepStrictEqual(await page.evaluate(tryEndpoint, origin, "provider"), "open");
    await certificates.replace();
    deepStrictEqual(await page.evaluate(tryEndpoint, origin, "provider"), "open");
  },
);

browserTest("a page elsewhere may ask where WebTransport is, but not provide, and can read why", async () => {
  await using cluster = await startEncrypted();
  await using elsewhere = openPageServer();
  await using chromium = await openChromium();
  const page = await chromium.browser.newPage();
  await page.goto(`${elsewhere.origin}/`);
  const said = await page.evaluate(tryEndpoint, `http://127.0.0.1:${cluster.port}`, "provider");
  match(said, /^1008 pages of this origin may not provide: see --allowed-origins$/);
});
