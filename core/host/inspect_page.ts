/** The page that shows the requests of an HTTP tunnel while they happen. */

import { MAX_EXCHANGES } from "../tunnel/exchange_log.ts";

/** Only what it loads from its own server; no page may frame it. */
export const INSPECT_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
  "frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/** A file of the page, by its path. */
export const INSPECT_FILES: Readonly<Record<string, { readonly type: string; readonly text: string }>> = {
  "/": {
    type: "text/html; charset=utf-8",
    text: `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>wasimoff tunnel</title>
<link rel="stylesheet" href="/inspect.css">
<header><h1>wasimoff tunnel</h1><output>connecting</output></header>
<main></main>
<p id="none">No requests yet: they appear here as they come.</p>
<script src="/inspect.js"></script>
</html>
`,
  },
  "/inspect.js": {
    type: "text/javascript; charset=utf-8",
    text: `"use strict";
const list = document.querySelector("main");
const state = document.querySelector("output");
const source = new EventSource("/events");
source.onopen = () => {
  state.textContent = "live";
  list.replaceChildren();
};
source.onerror = () => state.textContent = "the tunnel is not running";
source.onmessage = ({ data }) => {
  const template = document.createElement("template");
  template.innerHTML = data; // escaped where it was made
  const fresh = template.content.firstElementChild;
  const old = document.getElementById(fresh.id);
  if (old === null) list.prepend(fresh);
  else {
    fresh.open = old.open;
    old.replaceWith(fresh);
  }
  while (list.children.length > ${MAX_EXCHANGES}) list.lastElementChild.remove();
};
`,
  },
  "/inspect.css": {
    type: "text/css; charset=utf-8",
    text: `:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { margin: 0 auto; max-width: 64rem; padding: 0 1rem 2rem;
  background: light-dark(#f6f5f2, #16171a); color: light-dark(#26282c, #dcdde0); }
header { display: flex; align-items: baseline; justify-content: space-between; gap: 1rem; }
h1 { font-size: 1.1rem; }
output, small, p { font-size: .85rem; opacity: .75; }
main:not(:empty) + #none { display: none; }
details { border-top: 1px solid light-dark(#d9d7d0, #34363c); }
summary { display: flex; gap: .75rem; align-items: baseline; padding: .6rem 0; cursor: pointer; list-style: none; }
summary::-webkit-details-marker { display: none; }
summary b { font: 600 .8rem ui-monospace, monospace; min-width: 3.5rem; }
summary span { flex: 1; min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap;
  font: .9rem ui-monospace, monospace; }
details[open] summary span { white-space: normal; overflow-wrap: anywhere; }
em { font: 600 .85rem ui-monospace, monospace; }
.s2 { color: light-dark(#1f7a3d, #7fd49a); }
.s3, .s1 { color: light-dark(#2b5fa8, #8ab6f2); }
.s4 { color: light-dark(#9a5b00, #f0bd6c); }
.s5 { color: light-dark(#b42318, #f59a92); }
h2 { font-size: .9rem; margin: 1rem 0 .3rem; }
table { width: 100%; border-collapse: collapse; font: .8rem/1.4 ui-monospace, monospace; }
th { text-align: left; font-weight: 600; vertical-align: top; padding: .1rem .8rem .1rem 0; width: 30%; }
td, th { overflow-wrap: anywhere; }
pre { overflow: auto; max-height: 24rem; margin: .4rem 0 1rem; padding: .7rem; border-radius: .4rem;
  background: light-dark(#eae8e2, #202227); font: .8rem/1.45 ui-monospace, monospace;
  white-space: pre-wrap; overflow-wrap: anywhere; }
`,
  },
};
