/** What pages of a Brickchain client may do in a browser on the broker's own machine. */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { BrickchainService, TestBrickchainTunnel } from "../support/brickchain_tunnel.ts";
import { browserTest, openChromium } from "../support/chromium.ts";
import { HostCluster } from "../support/host_cluster.ts";

const PAGE = `<!doctype html><title>page</title>
<script>
async function tryBroker(port) {
  const post = (options) => fetch("http://127.0.0.1:" + port + "/api/client/run", { method: "POST", ...options })
    .then((response) => response.status, () => "refused by the browser");
  return [self.origin, await post({ headers: { "content-type": "application/json" }, body: "{}" })];
}
function echo(url, message) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, "vite-hmr");
    socket.binaryType = "arraybuffer";
    socket.onopen = () => socket.send(Uint8Array.from(message));
    socket.onerror = () => reject(new Error("no WebSocket"));
    socket.onmessage = ({ data }) => {
      resolve([socket.protocol, ...new Uint8Array(data)]);
      socket.close();
    };
  });
}
</script>`;

browserTest(
  "a page of a Brickchain client has no rights at the broker, and its WebSockets work",
  async () => {
    await using cluster = await HostCluster.start();
    await using service = await BrickchainService.start((_request, response) => {
      response.writeHead(200, { "content-type": "text/html" });
      response.end(PAGE);
    }, (socket) => socket.on("message", (data) => socket.send(data)));
    await using tunnel = await TestBrickchainTunnel.start(`http://127.0.0.1:${cluster.port}`, service.port);
    const publicUrl = new URL(await tunnel.opened());
    const id = publicUrl.hostname.split(".")[0];
    const path = `http://127.0.0.1:${cluster.port}/proxy/request/${id}/`;
    await using chromium = await openChromium();
    const page = await chromium.browser.newPage();

    await page.goto(path);
    const run = `tryBroker(${cluster.port})`;
    deepStrictEqual(await page.evaluate(run), ["null", "refused by the browser"]);
    const echo = (url: string) => page.evaluate(`echo(${JSON.stringify(url)}, [255, 254, 0, 1, 128])`);
    deepStrictEqual(await echo(path.replace("http", "ws")), ["vite-hmr", 255, 254, 0, 1, 128]);

    await page.goto(publicUrl.href);
    strictEqual(await page.evaluate("self.origin"), publicUrl.origin);
    deepStrictEqual(await page.evaluate(run), [publicUrl.origin, "refused by the browser"]);
    deepStrictEqual(await echo(publicUrl.href.replace("http", "ws")), ["vite-hmr", 255, 254, 0, 1, 128]);
  },
);
