import { strictEqual } from "node:assert/strict";
import { sniffContentType } from "../../../../core/broker/http/sniff_content_type.ts";

const TABLE: readonly (readonly [start: string, type: string])[] = [
  ["", "text/plain; charset=utf-8"],
  ["just text\r\n\twith tabs \x1b[1m", "text/plain; charset=utf-8"],
  ['{"json": 1}', "text/plain; charset=utf-8"],
  ["  <!DOCTYPE HTML>", "text/html; charset=utf-8"],
  ["<script>", "text/html; charset=utf-8"],
  ["<scripted>", "text/plain; charset=utf-8"],
  ['<?xml version="1.0"?>', "text/xml; charset=utf-8"],
  ["%PDF-1.7", "application/pdf"],
  ["\x89PNG\r\n\x1a\n", "image/png"],
  ["\xff\xd8\xff\xe0", "image/jpeg"],
  ["PK\x03\x04", "application/zip"],
  ["\x1f\x8b\x08", "application/x-gzip"],
  ["\0asm", "application/wasm"],
  ["text\0", "application/octet-stream"],
  ["x".repeat(512) + "\0", "text/plain; charset=utf-8"],
];

Deno.test("sniffContentType() goes by the first 512 bytes", () => {
  for (const [start, type] of TABLE) {
    strictEqual(sniffContentType(Uint8Array.from(start, (char) => char.charCodeAt(0))), type, start);
  }
});
