import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import { DirectoryStore } from "../../core/host/directory_store.ts";
import { startHash } from "../../core/host/hash.ts";
import type { HttpServer } from "../../core/host/http_server.ts";
import { brokerApp, TOKEN } from "../support/broker_app.ts";
import { refOf, wasmLike } from "../support/chunks.ts";
import { exchange, netTest, type TestNet, waitUntil } from "../support/open_server.ts";

const MIB = 1 << 20;
/** The adapter reads the rest of a refused body for 500 ms, by a timer that outlives the connection. */
const ADAPTER_DRAIN_MS = 600;

/** The broker's routes on a real server and a directory, both gone at the end of `use`. */
async function withBroker(
  net: TestNet,
  use: (
    broker: { server: HttpServer; origin: string; store: DirectoryStore; directory: string },
  ) => Promise<void>,
  maxUploadBytes = 160 * MIB,
): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    const options = { directory, maxTotalBytes: 2048 * MIB, startHash, now: Date.now };
    const store = await DirectoryStore.open(options);
    const app = await brokerApp({ files: store, maxUploadBytes });
    await using server = await net.serve({ fetch: (request, peer) => app.fetch(request, peer) });
    await use({ server, origin: `http://127.0.0.1:${server.address.port}`, store, directory });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

const temporaries = (directory: string) => [...Deno.readDirSync(`${directory}/tmp`)];

/** Several times what either side may hold of it. */
const LARGE_MIB = 768;
/** Chunks of both sides that nobody has collected yet: this process is the client, too. */
const GARBAGE_MIB = 384;

netTest(
  "a large file streams to disk and back in bounded memory",
  (net) =>
    withBroker(net, async ({ origin, directory }) => {
      const piece = wasmLike(MIB);
      const before = Deno.memoryUsage().rss;
      let peak = 0;
      async function* body() {
        for (let i = 0; i < LARGE_MIB; i++) {
          yield await Promise.resolve(piece);
          peak = Math.max(peak, Deno.memoryUsage().rss);
        }
      }
      const uploaded = await fetch(`${origin}/api/storage/upload?name=large`, {
        method: "POST",
        body: ReadableStream.from(body()),
      });
      strictEqual(uploaded.status, 200);
      const ref = (await uploaded.text()).trim();
      strictEqual(uploaded.headers.get("x-wasimoff-ref"), ref);
      deepStrictEqual(temporaries(directory), []);

      const download = await fetch(`${origin}/api/storage/large`);
      strictEqual(download.headers.get("content-length"), String(LARGE_MIB * MIB));
      const hash = startHash();
      for await (const chunk of download.body!) {
        hash.update(chunk);
        peak = Math.max(peak, Deno.memoryUsage().rss);
      }
      strictEqual(`sha256:${hash.digest()}`, ref);
      ok(peak - before < GARBAGE_MIB * MIB, `memory grew by ${(peak - before) / MIB} MiB`);
    }, LARGE_MIB * MIB),
);

netTest(
  "an upload that breaks off halfway leaves nothing behind",
  (net) =>
    withBroker(net, async ({ server, store, directory }) => {
      const head = (headers: string) =>
        `POST /api/storage/upload HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n\r\n\0asm`;
      for (
        const [headers, chunk] of [["Content-Length: 1000000", ""], [
          "Transfer-Encoding: chunked",
          "x",
        ]] as const
      ) {
        const socket = await Deno.connect({ hostname: "127.0.0.1", port: server.address.port });
        const text = chunk === "" ? head(headers) : head(headers).replace("\0asm", "4\r\n\0asm\r\n");
        await socket.write(new TextEncoder().encode(text));
        await waitUntil(() => temporaries(directory).length === 1);
        strictEqual(temporaries(directory).length, 1, "the upload has begun");
        socket.close();
        await waitUntil(() => temporaries(directory).length === 0);
        deepStrictEqual(temporaries(directory), []);
        deepStrictEqual(await store.list(), []);
      }
    }),
);

netTest(
  "an upload above the limit is refused, announced or not",
  (net) =>
    withBroker(net, async ({ server, origin, store, directory }) => {
      const announced = await exchange(server.address.port, [
        `POST /api/storage/upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${300 * MIB}\r\n\r\n`,
      ]);
      match(announced, /^HTTP\/1\.1 413 [^]*"code":"out_of_range"/);
      const piece = wasmLike(MIB);
      async function* tooMuch() {
        for (let i = 0; i < 168; i++) yield await Promise.resolve(piece); // 8 MiB above the limit
      }
      const { status, body } = await fetch(`${origin}/api/storage/upload`, {
        method: "POST",
        body: ReadableStream.from(tooMuch()),
      });
      await body?.cancel();
      strictEqual(status, 413);
      await waitUntil(() => temporaries(directory).length === 0);
      deepStrictEqual([temporaries(directory), await store.list()], [[], []]);
      await new Promise((resolve) => setTimeout(resolve, ADAPTER_DRAIN_MS));
    }),
);

netTest(
  "a stored file that has rotted never arrives in full",
  (net) =>
    withBroker(net, async ({ origin, store, directory }) => {
      const bytes = wasmLike(MIB);
      await (await fetch(`${origin}/api/storage/upload`, { method: "POST", body: bytes })).text();
      const ref = refOf(bytes);
      await Deno.writeFile(`${directory}/sha256/${ref.slice(7, 9)}/${ref.slice(7)}`, wasmLike(MIB, 1));
      await rejects(async () => (await fetch(`${origin}/api/storage/${ref}`)).bytes());
      strictEqual(await store.stat(ref), null);
      const gone = await fetch(`${origin}/api/storage/${ref}`);
      deepStrictEqual([gone.status, (await gone.json()).error.code], [404, "not_found"]);
    }),
);

netTest("ranges, tags and HEAD work over the wire", (net) =>
  withBroker(net, async ({ server, origin }) => {
    const bytes = wasmLike(1000);
    const ref = (await (await fetch(`${origin}/api/storage/upload`, { method: "POST", body: bytes })).text())
      .trim();
    const url = `${origin}/api/storage/${ref}`;
    const part = await fetch(url, { headers: { range: "bytes=10-19" } });
    deepStrictEqual([part.status, await part.bytes()], [206, bytes.slice(10, 20)]);
    const status = async (headers: Record<string, string>) => {
      const answer = await fetch(url, { headers });
      await answer.body?.cancel();
      return answer.status;
    };
    strictEqual(await status({ range: "bytes=1000-" }), 416);
    strictEqual(await status({ "if-none-match": `"${ref}"` }), 304);
    const request = `HEAD /api/storage/${ref} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`;
    const head = await exchange(server.address.port, [request]);
    match(head, /^HTTP\/1\.1 200 /);
    match(head, /\r\ncontent-length: 1000\r\n/i);
    ok(head.endsWith("\r\n\r\n"), "no body follows");
  }));

netTest(
  "names with .. and forged headers are refused over the wire",
  (net) =>
    withBroker(net, async ({ server }) => {
      const status = async (path: string, ...headers: string[]) => {
        const lines = [`GET ${path} HTTP/1.1`, ...headers, "Connection: close", "\r\n"];
        return Number((await exchange(server.address.port, [lines.join("\r\n")])).slice(9, 12));
      };
      const host = "Host: localhost";
      strictEqual(await status("/api/storage", host), 200);
      strictEqual(await status("/api/storage/..%2F..%2Fetc%2Fpasswd", host), 400);
      strictEqual(await status("/api/storage/%2e%2e%2fx", host), 400);
      strictEqual(await status("/api/storage/../../../etc/passwd", host), 404);
      strictEqual(await status("/api/storage/..\\x", host), 400);
      strictEqual(await status("/api/storage", host, "X-Forwarded-For: 127.0.0.1"), 401);
      strictEqual(await status("/api/storage", host, "Via: 1.1 proxy"), 401);
      strictEqual(await status("/api/storage", "Host: rebound.example"), 401);
      strictEqual(await status("/api/storage", host, "Origin: http://evil.example"), 403);
      strictEqual(await status("/api/storage", host, "Origin: http://localhost"), 200);
      strictEqual(
        await status("/api/storage", "Host: rebound.example", `Authorization: Bearer ${TOKEN}`),
        200,
      );
      strictEqual(await status("http://localhost/api/storage", "Host: rebound.example"), 400); // two hosts
    }),
);
