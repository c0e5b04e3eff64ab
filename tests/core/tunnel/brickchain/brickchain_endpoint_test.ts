import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import {
  brickchainEndpoint,
  brickchainPublicUrl,
} from "../../../../core/tunnel/brickchain/brickchain_endpoint.ts";

Deno.test("brickchainEndpoint() keeps the endpoint to the letter for the token", () => {
  deepStrictEqual(brickchainEndpoint("brickchain+https://Proxy.test/"), {
    uri: "https://Proxy.test/",
    origin: "https://proxy.test",
    webSocket: "wss://proxy.test/proxy/subscribe",
  });
  strictEqual(
    brickchainEndpoint("brickchain+http://[::1]:6519")!.webSocket,
    "ws://[::1]:6519/proxy/subscribe",
  );
});

Deno.test("brickchainEndpoint() leaves other URLs alone and refuses endpoints with more", () => {
  strictEqual(brickchainEndpoint("https://proxy.test"), null);
  const bad = ["", "proxy.test", "ws://a", "https://a/path", "https://a/?q", "https://u:p@a", "https://a/#f"];
  for (const uri of bad) throws(() => brickchainEndpoint(`brickchain+${uri}`), { code: "invalid_argument" });
});

Deno.test("brickchainPublicUrl() is the hostname, or the path without one", () => {
  const endpoint = brickchainEndpoint("brickchain+https://proxy.test:8443")!;
  strictEqual(brickchainPublicUrl(endpoint, { id: "i", hostname: "i.proxy.test" }), "https://i.proxy.test");
  strictEqual(
    brickchainPublicUrl(endpoint, { id: "i", hostname: "" }),
    "https://proxy.test:8443/proxy/request/i/",
  );
});

Deno.test("brickchainPublicUrl() refuses names that would be something else on a terminal", () => {
  const endpoint = brickchainEndpoint("brickchain+https://proxy.test")!;
  const bad = [["i", "a.test\n"], ["i", "\x1b[31m"], ["i", "a.test/path"], ["", ""], ["../x", ""], [
    "i\n",
    "a.test",
  ]];
  for (const [id, hostname] of bad as [string, string][]) {
    throws(() => brickchainPublicUrl(endpoint, { id, hostname }), { code: "data_loss" });
  }
});
