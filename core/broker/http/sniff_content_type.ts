/** What a client may take bytes for, by their start: the part of the MIME Sniffing Standard that outputs need. */

/** So many bytes are looked at. */
const SNIFFED_BYTES = 512;

/** Media types by the bytes they start with, as Latin-1. */
const SIGNATURES: readonly (readonly [signature: string, type: string])[] = [
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
/** Control characters that no text has: all but white space and escape. */
const isBinary = (byte: number) => byte < 0x20 && ![0x09, 0x0a, 0x0c, 0x0d, 0x1b].includes(byte);

export function sniffContentType(bytes: Uint8Array): string {
  const start = bytes.subarray(0, SNIFFED_BYTES);
  const head = String.fromCharCode(...start);
  if (HTML.test(head)) return "text/html; charset=utf-8";
  if (XML.test(head)) return "text/xml; charset=utf-8";
  for (const [signature, type] of SIGNATURES) {
    if (head.startsWith(signature)) return type;
  }
  return start.some(isBinary) ? "application/octet-stream" : "text/plain; charset=utf-8";
}
