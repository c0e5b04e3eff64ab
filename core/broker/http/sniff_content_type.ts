/** What a client may take bytes for, by their start: the part of the MIME Sniffing Standard that outputs need. */

/** So many bytes are looked at. */
const SNIFFED_BYTES = 512;

/** Media types by the bytes they start with, as Latin-1. */
const SIGNATURES: readonly (readonly [start: string, type: string])[] = [
  ["%PDF-", "application/pdf"],
  ["\xef\xbb\xbf", "text/plain; charset=utf-8"],
  ["\x89PNG\r\n\x1a\n", "image/png"],
  ["GIF87a", "image/gif"],
  ["GIF89a", "image/gif"],
  ["\xff\xd8\xff", "image/jpeg"],
  ["PK\x03\x04", "application/zip"],
  ["\x1f\x8b\x08", "application/x-gzip"],
  ["\0asm", "application/wasm"],
];
const HTML =
  /^[\t\n\f\r ]*<(!doctype html|html|head|body|script|iframe|h1|div|table|style|title|p|br|a)[ >]/i;
const XML = /^[\t\n\f\r ]*<\?xml/;
const BINARY = /[\0-\x08\x0b\x0e-\x1a\x1c-\x1f]/;

export function sniffContentType(bytes: Uint8Array): string {
  const head = String.fromCharCode(...bytes.subarray(0, SNIFFED_BYTES));
  if (HTML.test(head)) return "text/html; charset=utf-8";
  if (XML.test(head)) return "text/xml; charset=utf-8";
  for (const [start, type] of SIGNATURES) {
    if (head.startsWith(start)) return type;
  }
  return BINARY.test(head) ? "application/octet-stream" : "text/plain; charset=utf-8";
}
