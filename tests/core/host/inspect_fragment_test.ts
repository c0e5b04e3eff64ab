import { match, ok } from "node:assert/strict";
import { inspectFragment } from "../../../core/host/inspect_fragment.ts";
import type { Exchange } from "../../../core/tunnel/exchange_log.ts";

const EVIL = `<img src=x onerror="alert('1')">&`;
const message = (headers: string[], ...body: Uint8Array[]) => ({
  headers,
  body,
  bodyBytes: body.reduce((sum, { length }) => sum + length, 0),
});
const exchange = (over: Partial<Exchange> = {}): Exchange => ({
  id: 7,
  startedAt: 0,
  method: "GET",
  target: "/a",
  request: message([]),
  answer: null,
  tookMs: null,
  ...over,
});

Deno.test("inspectFragment() shows what is known so far", () => {
  match(
    inspectFragment(exchange()),
    /^<details id="x7"><summary><b>GET<\/b><span>\/a<\/span><em class="open">…</,
  );
  const done = exchange({
    answer: { ...message(["A", "b"]), status: 404, reason: "Not Found" },
    tookMs: 12.4,
  });
  match(inspectFragment(done), /<em class="s4">404<\/em><small>12 ms<\/small>[^]*<th>A<\/th><td>b<\/td>/);
});

Deno.test("inspectFragment() escapes everything that came from elsewhere", () => {
  const text = new TextEncoder().encode(EVIL);
  const html = inspectFragment(exchange({
    method: EVIL,
    target: EVIL,
    request: message([EVIL, EVIL], text),
    answer: { ...message([EVIL, EVIL], text), status: 200, reason: EVIL },
  }));
  ok(!html.includes("<img"), html);
  ok(!/<[^>]*onerror/.test(html));
  match(html, /<pre>&lt;img src=x onerror=&quot;alert\(&#39;1&#39;\)&quot;&gt;&amp;<\/pre>/);
});

Deno.test("inspectFragment() shows text, also cut within a character, and only the length of other bodies", () => {
  const cut = new TextEncoder().encode("aä").subarray(0, 2);
  match(inspectFragment(exchange({ request: message([], cut) })), /<p>2 bytes<\/p><pre>a<\/pre>/);
  const long = { ...message([], cut), bodyBytes: 9_000 };
  match(inspectFragment(exchange({ request: long })), /<p>9000 bytes, the first 2 shown<\/p><pre>a<\/pre>/);
  for (const bytes of [Uint8Array.of(0xff, 0xfe), Uint8Array.of(97, 0)]) {
    const html = inspectFragment(exchange({ request: message([], bytes) }));
    match(html, /<p>2 bytes of what is no text<\/p>/);
    ok(!html.includes("<pre>"));
  }
});
