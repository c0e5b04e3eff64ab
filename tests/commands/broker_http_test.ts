/** Tests of requests to the broker's HTTP API. */

import assert from "node:assert/strict";
import { BrokerHttp } from "../../commands/broker_http.ts";

const URL_TEXT = "http://broker.example/sub/";
const signal = new AbortController().signal;

function broker(answer: Response | Error, token: string | null = null) {
  const seen: Request[] = [];
  const doFetch: typeof fetch = (input, init) => {
    seen.push(new Request(input as URL, init));
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  };
  return { seen, http: new BrokerHttp({ url: new URL(URL_TEXT), token, fetch: doFetch }) };
}

Deno.test("BrokerHttp.request() sends the token to a path below the URL", async () => {
  const { seen, http } = broker(new Response("fine"), "secret");
  const response = await http.request("GET", "api/storage", { signal });
  assert.equal(await response.text(), "fine");
  assert.equal(seen[0]!.url, `${URL_TEXT}api/storage`);
  assert.equal(seen[0]!.headers.get("authorization"), "Bearer secret");
});

Deno.test("BrokerHttp.request() says how to start a broker when none can be reached", async () => {
  const { http } = broker(new TypeError("connection refused"));
  await assert.rejects(http.request("GET", "x", { signal }), {
    code: "unavailable",
    message: `cannot reach the broker at "${URL_TEXT}": start one with "wasimoff broker"`,
  });
});

Deno.test("BrokerHttp.request() gives the broker's own code and message", async () => {
  const body = { error: { code: "not_found", message: 'no file "x"' } };
  const { http } = broker(Response.json(body, { status: 404 }));
  await assert.rejects(http.request("GET", "x", { signal }), { code: "not_found", message: 'no file "x"' });
});

Deno.test("BrokerHttp.request() says how to give a token", async () => {
  const body = { error: { code: "unauthenticated", message: "a token is needed" } };
  const refused = () => Response.json(body, { status: 401 });
  await assert.rejects(broker(refused()).http.request("GET", "x", { signal }), {
    code: "unauthenticated",
    message: `the broker at "${URL_TEXT}" refuses us: give --token-file or WASIMOFF_TOKEN`,
  });
  await assert.rejects(broker(refused(), "wrong").http.request("GET", "x", { signal }), {
    message: /check the token$/,
  });
});

Deno.test("BrokerHttp.request() makes do with answers that are not the broker's", async () => {
  const cases: [string, number, string][] = [
    ["<html>", 503, "unavailable"],
    ["null", 400, "invalid_argument"],
    ['{"error": {"code": "made_up", "message": 5}}', 418, "unknown"],
    ["x".repeat(1_000_000), 500, "unknown"],
  ];
  for (const [body, status, code] of cases) {
    await assert.rejects(broker(new Response(body, { status })).http.request("GET", "x", { signal }), {
      code,
      message: `the broker answered HTTP ${status}`,
    });
  }
});

Deno.test("BrokerHttp.request() ends with the reason of its signal", async () => {
  const aborted = AbortSignal.abort(new Error("enough"));
  const { http } = broker(new DOMException("aborted", "AbortError"));
  await assert.rejects(http.request("GET", "x", { signal: aborted }), { message: "enough" });
});
