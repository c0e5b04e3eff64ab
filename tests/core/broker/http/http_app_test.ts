import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { WasimoffError } from "../../../../core/errors.ts";
import { Logger } from "../../../../core/log.ts";
import { brokerApp, call, TOKEN } from "../../../support/broker_app.ts";

const remote = { remoteAddress: "192.0.2.7" };

Deno.test("GET /healthz and /api/version need no token", async () => {
  const app = await brokerApp();
  const health = await call(app, "/healthz", remote);
  deepStrictEqual([health.status, await health.text()], [200, "OK\n"]);
  const version = await call(app, "/api/version", remote);
  deepStrictEqual(await version.json(), {
    go: "",
    package: "wasimoff",
    revision: "abcdef0",
    version: "1.2.3",
    runtime: "deno 0",
    protocols: ["wasimoff_v2"],
  });
});

Deno.test("everything else needs a local caller, a token, or an open broker", async () => {
  const paths: [string, string][] = [
    ["GET", "/metrics"],
    ["GET", "/api/providers"],
    ["GET", "/api/storage"],
    ["GET", "/api/storage/name"],
    ["HEAD", "/api/storage/name"],
    ["DELETE", "/api/storage/name"],
    ["POST", "/api/storage/upload"],
    ["GET", "/api/whatever/comes/later"],
  ];
  const [app, open] = [await brokerApp(), await brokerApp({ open: true })];
  for (const [method, path] of paths) {
    const refused = await call(app, path, { ...remote, method });
    deepStrictEqual([refused.status, refused.headers.get("www-authenticate")], [
      401,
      'Bearer realm="wasimoff"',
    ], path);
    const wrong = await call(app, path, { method, headers: { authorization: "Bearer wrong" } });
    strictEqual(wrong.status, 401, path);
    const headers = { authorization: `Bearer ${TOKEN}` };
    for (
      const answer of [
        await call(app, path, { ...remote, method, headers }),
        await call(app, path, { method }),
        await call(open, path, { ...remote, method }),
      ]
    ) strictEqual([200, 404, 415].includes(answer.status), true, `${method} ${path}: ${answer.status}`);
  }
});

Deno.test("a page elsewhere may read files with a token, and nothing else unless it is allowed", async () => {
  const app = await brokerApp({ allowedOrigins: ["*.example.org"] });
  const ask = async (origin: string, path: string, method = "GET") => {
    const headers = { origin, authorization: `Bearer ${TOKEN}` };
    const answer = await call(app, path, { method, headers });
    return [answer.status, answer.headers.get("access-control-allow-origin")];
  };
  deepStrictEqual(await ask("http://evil.example", "/api/storage/none"), [404, "*"]);
  deepStrictEqual(await ask("http://evil.example", "/api/providers"), [403, null]);
  deepStrictEqual(await ask("http://evil.example", "/api/storage/upload", "POST"), [403, null]);
  deepStrictEqual(await ask("http://evil.example", "/api/storage/none", "DELETE"), [403, null]);
  deepStrictEqual(await ask("null", "/api/providers"), [403, null]);
  deepStrictEqual(await ask("https://a.example.org", "/api/providers"), [200, "https://a.example.org"]);
  deepStrictEqual(await ask("http://localhost:4080", "/api/providers"), [200, "http://localhost:4080"]);
});

Deno.test("a page elsewhere is no local caller", async () => {
  const app = await brokerApp({ allowedOrigins: ["a.example.org"] });
  const status = async (headers: Record<string, string>) =>
    (await call(app, "/api/storage/none", { headers })).status;
  strictEqual(await status({}), 404);
  strictEqual(await status({ origin: "http://localhost:4080" }), 404);
  strictEqual(await status({ origin: "http://a.example.org" }), 401);
  strictEqual(await status({ origin: "http://localhost:3000" }), 401);
  strictEqual(await status({ host: "rebound.example:4080" }), 401);
  strictEqual(await status({ "x-forwarded-for": "127.0.0.1" }), 401);
});

Deno.test("OPTIONS answers preflights without a token", async () => {
  const app = await brokerApp({ allowedOrigins: ["a.example.org"] });
  const ask = (origin: string, path: string, method: string) =>
    call(app, path, {
      ...remote,
      method: "OPTIONS",
      headers: { origin, "access-control-request-method": method },
    });
  const allowed = await ask("http://a.example.org", "/api/storage/upload", "POST");
  strictEqual(allowed.status, 204);
  strictEqual(allowed.headers.get("access-control-allow-origin"), "http://a.example.org");
  strictEqual(allowed.headers.get("access-control-allow-methods"), "GET, HEAD, POST, DELETE");
  strictEqual((await ask("http://evil.example", "/api/storage/upload", "POST")).status, 403);
  strictEqual((await ask("http://evil.example", "/api/storage/name", "GET")).status, 204);
});

Deno.test("GET /metrics and /api/providers give what they were given", async () => {
  const app = await brokerApp();
  const metrics = await call(app, "/metrics");
  deepStrictEqual([metrics.headers.get("content-type"), await metrics.text()], ["text/plain", "numbers 1\n"]);
  deepStrictEqual(await (await call(app, "/api/providers")).json(), {
    schema: 1,
    providers: [{ name: "p" }],
  });
});

Deno.test("an unknown path is a JSON 404, a bug a JSON 500 with one line of log", async () => {
  const lines: string[] = [];
  const app = await brokerApp({
    logger: new Logger((level, message) => lines.push(`${level}: ${message}`)),
    providers: () => {
      throw new TypeError("secret detail");
    },
    metrics: () => Promise.reject(new WasimoffError("unavailable", "store is closing")),
  });
  deepStrictEqual(await (await call(app, "/nothing")).json(), {
    error: { code: "not_found", message: "no such path" },
  });
  const bug = await call(app, "/api/providers");
  strictEqual(bug.status, 500);
  strictEqual((await bug.text()).includes("secret"), false);
  strictEqual((await call(app, "/metrics")).status, 503);
  deepStrictEqual(lines, ["error: request failed"]);
});
