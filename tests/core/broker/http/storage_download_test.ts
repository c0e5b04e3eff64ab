import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { brokerApp, call } from "../../../support/broker_app.ts";
import { refOf, wasmLike } from "../../../support/chunks.ts";

const BYTES = wasmLike(1000);
const REF = refOf(BYTES);

/** The routes with one stored file, also named `prog`. */
async function appWithFile() {
  const app = await brokerApp();
  const answer = await call(app, "/api/storage/upload?name=prog", { method: "POST", body: BYTES });
  strictEqual(answer.status, 200);
  return app;
}

Deno.test("GET /api/storage answers ranges as RFC 9110 has them", async () => {
  const app = await appWithFile();
  const cases: [range: string, status: number, contentRange: string | null, bytes: Uint8Array][] = [
    ["bytes=0-0", 206, "bytes 0-0/1000", BYTES.slice(0, 1)],
    ["bytes=10-19", 206, "bytes 10-19/1000", BYTES.slice(10, 20)],
    ["bytes=990-", 206, "bytes 990-999/1000", BYTES.slice(990)],
    ["bytes=990-5000", 206, "bytes 990-999/1000", BYTES.slice(990)],
    ["bytes=-10", 206, "bytes 990-999/1000", BYTES.slice(990)],
    ["bytes=-5000", 206, "bytes 0-999/1000", BYTES],
    ["bytes=1000-", 416, "bytes */1000", new Uint8Array(0)],
    ["bytes=-0", 416, "bytes */1000", new Uint8Array(0)],
    ["bytes=5-4", 200, null, BYTES],
    ["bytes=-", 200, null, BYTES],
    ["bytes=0-1,3-4", 200, null, BYTES],
    ["bytes=99999999999999999999-", 200, null, BYTES],
    ["items=0-1", 200, null, BYTES],
  ];
  for (const [range, status, contentRange, bytes] of cases) {
    const answer = await call(app, `/api/storage/${REF}`, { headers: { range } });
    deepStrictEqual([answer.status, answer.headers.get("content-range")], [status, contentRange], range);
    deepStrictEqual(await answer.bytes(), bytes, range);
  }
});

Deno.test("GET /api/storage heeds If-Range", async () => {
  const app = await appWithFile();
  const ask = (ifRange: string) =>
    call(app, `/api/storage/${REF}`, { headers: { range: "bytes=0-0", "if-range": ifRange } });
  strictEqual((await ask(`"${REF}"`)).status, 206);
  strictEqual((await ask('"other"')).status, 200);
});

Deno.test("GET /api/storage says what the file is and how long it may be cached", async () => {
  const app = await appWithFile();
  const headers = async (path: string, method = "GET") => {
    const answer = await call(app, path, { method });
    strictEqual(answer.status, 200);
    strictEqual((await answer.bytes()).length, method === "HEAD" ? 0 : 1000);
    return Object.fromEntries(answer.headers);
  };
  const exposed = "x-wasimoff-ref, etag, content-range, accept-ranges, retry-after, x-wasimoff-result, " +
    "x-wasimoff-status, x-wasimoff-provider, x-wasimoff-artifacts, x-wasimoff-artifacts-omitted, Grpc-Status, " +
    "Grpc-Message, Grpc-Status-Details-Bin, Content-Encoding, Connect-Content-Encoding";
  const expected = {
    "accept-ranges": "bytes",
    "access-control-allow-origin": "*",
    "access-control-expose-headers": exposed,
    "cache-control": "private, max-age=31536000, immutable",
    "content-length": "1000",
    "content-type": "application/wasm",
    "etag": `"${REF}"`,
    "vary": "Origin",
    "x-content-type-options": "nosniff",
    "x-wasimoff-ref": REF,
  };
  deepStrictEqual(await headers(`/api/storage/${REF}`), expected);
  deepStrictEqual(await headers(`/api/storage/${encodeURIComponent(REF)}`), expected);
  deepStrictEqual(await headers(`/api/storage/${REF}`, "HEAD"), expected);
  deepStrictEqual(await headers("/api/storage/prog"), { ...expected, "cache-control": "private, no-cache" });
});

Deno.test("GET /api/storage answers 304 to whoever has the file", async () => {
  const app = await appWithFile();
  const cases: [string, number][] = [
    [`"${REF}"`, 304],
    [`"x", W/"${REF}"`, 304],
    ["*", 304],
    [`"${REF}x"`, 200],
    [REF, 200],
  ];
  for (const [tag, status] of cases) {
    const answer = await call(app, "/api/storage/prog", { headers: { "if-none-match": tag } });
    strictEqual(answer.status, status, tag);
    strictEqual((await answer.bytes()).length, status === 304 ? 0 : 1000);
  }
});

Deno.test("GET /api/storage lets no path through", async () => {
  const app = await appWithFile();
  const cases: [string, number][] = [
    ["/api/storage/..%2Fprog", 400],
    ["/api/storage/%2e%2e%2f%2e%2e%2fetc%2fpasswd", 400],
    ["/api/storage/..%5cprog", 400],
    ["/api/storage/%252e%252e%252fprog", 404],
    ["/api/storage/a/b", 404],
    ["/api/storage/prog/", 404],
    ["/api/storage/prog%00", 400],
    ["/api/storage/%ff", 400],
    ["/api/storage/%", 400],
    ["/api/storage/sha256:abc", 400],
    [`/api/storage/${REF.toUpperCase()}`, 400],
    [`/api/storage/${refOf(wasmLike(1))}`, 404],
    ["/api/storage/other", 404],
    ["/api/storage/upload", 404],
    ["/api/storage/../storage/prog", 200], // the URL parser resolves it before it is sent
  ];
  for (const [path, status] of cases) {
    const answer = await call(app, path);
    strictEqual(answer.status, status, path);
    await answer.body?.cancel();
  }
});
