import { deepStrictEqual, strictEqual } from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { mayBeLocal, ofOnePage, sandboxed } from "../../../core/host/page_sandbox.ts";

const from = (remoteAddress: string, headers = {}) =>
  mayBeLocal({ socket: { remoteAddress }, headers } as unknown as IncomingMessage);

Deno.test("who comes over loopback and not through a proxy may be local", () => {
  deepStrictEqual([from("127.0.0.1"), from("::1"), from("")], [true, true, true]);
  deepStrictEqual([from("192.0.2.1"), from("127.0.0.1", { forwarded: "for=192.0.2.1" })], [false, false]);
});

Deno.test("a sandbox stands beside all policies of the page, and no page has its origin", () => {
  const headers = sandboxed(["content-security-policy", "a", "X-Own", "1", "Content-Security-Policy", "b"]);
  deepStrictEqual(headers.slice(0, 3), ["X-Own", "1", "Content-Security-Policy"]);
  strictEqual(headers[3]!.startsWith("a, b, sandbox "), true);
  strictEqual(headers[3]!.includes("allow-same-origin"), false);
});

Deno.test("a page does not speak for its whole host", () => {
  const headers = ["Service-Worker-Allowed", "/", "X-Own", "1", "clear-site-data", '"*"', "Alt-Svc", "h3"];
  deepStrictEqual(ofOnePage(headers), ["X-Own", "1"]);
});
