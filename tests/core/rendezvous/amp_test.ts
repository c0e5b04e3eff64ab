import { equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { ampPage } from "../../../core/rendezvous/amp_page.ts";
import { decodeAmpPath } from "../../../core/rendezvous/amp_path.ts";
import { MessageError } from "../../../core/rendezvous/message_error.ts";

/** As clients do it: the text of all pre elements without white space, a version, base64. */
function readPage(page: string): string {
  const elements = [...page.matchAll(/<pre>([^<]*)<\/pre>/g)].map(([, text]) => text!);
  for (const element of elements) equal(element.length < 32_768, true, "an element is too long");
  const text = elements.join("").replace(/\s/g, "");
  equal(text[0], "0");
  return new TextDecoder().decode(Uint8Array.fromBase64(text.slice(1)));
}

Deno.test("decodeAmpPath() ignores what stands between the version and the last slash", () => {
  const message = `1.0\n{"offer":"o"}`;
  const encoded = new TextEncoder().encode(message).toBase64({ alphabet: "base64url", omitPadding: true });
  for (const filler of ["", "AbCd-_123456", "a/b/c"]) equal(decodeAmpPath(`0${filler}/${encoded}`), message);
});

Deno.test("decodeAmpPath() refuses nonsense", () => {
  for (const path of ["", "0", "1abc/MS4w", "0abc", "0abc/!!!!", "0abc/MS4wC", "abc/MS4w", "/MS4w"]) {
    throws(() => decodeAmpPath(path), new MessageError("cannot decode URL path"), path);
  }
});

Deno.test("ampPage() is read back as clients read it, however long the message", () => {
  for (const length of [0, 1, 22, 23, 24, 23_000, 24_000, 50_000, 100_000]) {
    const message = "x".repeat(length);
    equal(readPage(ampPage(message)), message, `${length} characters`);
  }
  fc.assert(fc.property(fc.string({ unit: "grapheme" }), (text) => equal(readPage(ampPage(text)), text)));
});

Deno.test("ampPage() has what AMP asks of a page", () => {
  const page = ampPage("x");
  equal(page.startsWith("<!doctype html>\n<html amp>"), true);
  for (
    const part of [
      "<style amp-boilerplate>",
      "https://cdn.ampproject.org/v0.js",
      `rel="canonical"`,
      "width=device-width",
    ]
  ) {
    equal(page.includes(part), true, part);
  }
  equal(
    page.split("\n").filter((line) => /^[0-9A-Za-z+/=]+$/.test(line)).every((line) => line.length <= 32),
    true,
  );
});
