import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { type TransportFace, transportUrl } from "../../../../core/broker/http/config_document.ts";
import { brokerApp } from "../../../support/broker_app.ts";

const FACE: TransportFace = { quic: { host: null, port: 4443 }, url: null, names: [], hashes: [] };

async function config(face: TransportFace, host = "localhost:4080") {
  const app = await brokerApp({ transport: () => face });
  const request = new Request("http://localhost/api/broker/v1/config", {
    headers: { host, origin: "https://elsewhere.example" },
  });
  return await app.fetch(request, { remoteAddress: "192.0.2.1", remotePort: 1, rawHeaders: [] });
}

Deno.test("any page may read the config document, without a token", async () => {
  const hashes = ["aa", "bb"];
  const expires = new Date("2026-12-01T00:00:00Z");
  const response = await config({ ...FACE, quic: { host: "localhost", port: 4443 }, hashes, expires });
  strictEqual(response.status, 200);
  strictEqual(response.headers.get("access-control-allow-origin"), "*");
  strictEqual(response.headers.get("cache-control"), "no-store");
  deepStrictEqual(await response.json(), {
    transport: "https://localhost:4443/transport",
    certhash: "aa",
    certhashes: ["aa", "bb"],
    certexpires: "2026-12-01T00:00:00.000Z",
  });
});

Deno.test("the config document has no hash for a certificate to be trusted, and no URL without QUIC", async () => {
  const url = "https://wt.example/transport";
  deepStrictEqual(await (await config({ ...FACE, url })).json(), { transport: url });
  const off = { ...FACE, url, quic: null, hashes: ["aa"] };
  deepStrictEqual(await (await config(off)).json(), { transport: "" });
  const app = await brokerApp();
  const response = await app.request("/api/broker/v1/config", {}, {
    remoteAddress: "192.0.2.1",
    rawHeaders: [],
  });
  deepStrictEqual(await response.json(), { transport: "" });
});

Deno.test("transportUrl() announces a name that the client can reach", () => {
  const cases: [string | null, string, string][] = [
    [null, "my-host:4080", "https://my-host:4443/transport"],
    [null, "My-Host", "https://my-host:4443/transport"],
    [null, "192.0.2.7:4080", "https://192.0.2.7:4443/transport"],
    [null, "[2001:db8::1]:4080", "https://[2001:db8::1]:4443/transport"],
    ["localhost", "localhost:4080", "https://localhost:4443/transport"],
    ["localhost", "127.0.0.1:4080", "https://127.0.0.1:4443/transport"],
    ["localhost", "127.0.0.9:4080", "https://localhost:4443/transport"],
    ["::1", "[::1]:4080", "https://[::1]:4443/transport"],
    ["localhost", "my-host:4080", ""],
    ["127.0.0.1", "broker.example", ""],
    ["192.0.2.7", "my-host:4080", "https://192.0.2.7:4443/transport"],
    [null, "a/b", ""],
    [null, "", ""],
  ];
  for (const [host, asked, expected] of cases) {
    strictEqual(transportUrl({ ...FACE, quic: { host, port: 4443 } }, asked), expected, `${host} ${asked}`);
  }
});

Deno.test("transportUrl() announces a name of the certificate", () => {
  const announced = (names: string[], asked: string) =>
    new URL(transportUrl({ ...FACE, names }, asked)).hostname;
  strictEqual(announced(["a.example", "b.example"], "b.example:80"), "b.example");
  strictEqual(announced(["a.example", "b.example"], "192.0.2.7"), "a.example");
  strictEqual(announced(["*.example", "b.org"], "a.example"), "a.example");
  strictEqual(announced(["*.example", "b.org"], "a.b.example"), "b.org");
  strictEqual(announced(["*.example"], "192.0.2.7"), "192.0.2.7");
});
