import { equal } from "node:assert/strict";
import { encodeStreamHeader } from "../../../core/webtransport/stream_header.ts";

Deno.test("encodeStreamHeader() tells the kind and the session", () => {
  equal(encodeStreamHeader("bidirectional", 0n).toHex(), "404100");
  equal(encodeStreamHeader("unidirectional", 256n).toHex(), "40544100");
});
