import { match, ok, strictEqual } from "node:assert/strict";
import { errorPage } from "../../../core/tunnel/error_page.ts";

const FAILURE = { status: 502, title: "Down <b>", detail: `"it's" & gone` };

Deno.test("errorPage() is a line of text for programs", () => {
  for (const accept of ["", "*/*", "application/json"]) {
    const { contentType, text } = errorPage(FAILURE, accept);
    strictEqual(contentType, "text/plain; charset=utf-8");
    strictEqual(text, `502 Down <b>: "it's" & gone\n`);
  }
});

Deno.test("errorPage() is a page without script for browsers, with nothing unescaped", () => {
  const { contentType, text } = errorPage(FAILURE, "text/html,application/xhtml+xml,*/*;q=0.8");
  strictEqual(contentType, "text/html; charset=utf-8");
  match(text, /<title>502 Down &lt;b&gt;<\/title>/);
  match(text, /<p>&quot;it&#39;s&quot; &amp; gone<\/p>/);
  match(text, /color-scheme: light dark/);
  ok(!/<script|<b>/.test(text));
});
