/** A page of another origin reaches a TCP service behind a tunnel. */

import { deepEqual } from "node:assert/strict";
import type { Browser } from "puppeteer-core";
import { browserTest, openChromium } from "../support/chromium.ts";
import { firefoxTest, openFirefox } from "../support/firefox.ts";
import { openPageServer } from "../support/page_server.ts";
import { TcpService } from "../support/tcp_service.ts";
import { TunnelCluster } from "../support/tunnel_cluster.ts";

/** Runs in the page: sends bytes of all sizes, resolves with how much came back unharmed and how it ended. */
const SCRIPT = `(url) => new Promise((resolve) => {
  const socket = new WebSocket(url);
  socket.binaryType = "arraybuffer";
  const sizes = [1, 1000, 1025, 32768, 200000];
  const total = sizes.reduce((sum, size) => sum + size, 0);
  let received = 0, intact = true;
  socket.onopen = () => {
    let at = 0;
    for (const size of sizes) socket.send(Uint8Array.from({ length: size }, () => at++ % 251));
  };
  socket.onmessage = ({ data }) => {
    for (const byte of new Uint8Array(data)) intact &&= byte === received++ % 251;
    if (received === total) socket.close();
  };
  socket.onclose = ({ code, wasClean }) => resolve({ received, intact, code, wasClean });
})`;

async function dialFromPage(browser: Browser): Promise<void> {
  await using echo = await TcpService.echo();
  await using cluster = await TunnelCluster.start();
  const tunnel = await cluster.tunnel({ name: "db", service: echo.port });
  await using server = openPageServer();
  const page = await browser.newPage();
  await page.goto(server.origin);
  const url = `ws://127.0.0.1:${cluster.cluster.port}/api/tunnel/db/ws`;
  const result = await page.evaluate(`(${SCRIPT})(${JSON.stringify(url)})`);
  deepEqual(result, { received: 234_794, intact: true, code: 1005, wasClean: true });
  await page.close();
  await tunnel.stop();
}

browserTest("a page dials the service behind a tunnel by WebSocket", async () => {
  await using chromium = await openChromium();
  await dialFromPage(chromium.browser);
});

firefoxTest("a page in Firefox dials the service behind a tunnel by WebSocket", async () => {
  await using firefox = await openFirefox();
  await dialFromPage(firefox.browser);
});
