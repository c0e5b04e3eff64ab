import { deepStrictEqual, throws } from "node:assert/strict";
import { CollectingSink } from "../../../core/provider/collecting_sink.ts";

Deno.test("CollectingSink keeps what is written, up to its bound", () => {
  const sink = new CollectingSink(3);
  sink.write(new Uint8Array([1, 2]));
  sink.write(new Uint8Array([3]));
  throws(() => sink.write(new Uint8Array([4])), { code: "out_of_range" });
  deepStrictEqual(sink.bytes(), new Uint8Array([1, 2, 3]));
});
