import { strictEqual, throws } from "node:assert/strict";
import { storageAt } from "../../../core/host/fetch_file.ts";

Deno.test("storageAt() is a path on the broker, below its own", () => {
  const at = (broker: string, path: string) => storageAt(new URL(broker), path).href;
  strictEqual(at("http://broker:4080/", "/api/storage/"), "http://broker:4080/api/storage/");
  strictEqual(at("https://host/prefix/", "/api/storage/"), "https://host/prefix/api/storage/");
  strictEqual(at("http://broker:4080/", "//elsewhere/x"), "http://broker:4080/elsewhere/x");
});

Deno.test("storageAt() refuses a storage on another origin", () => {
  for (
    const path of ["http://elsewhere/api/storage/", "https://broker:4080/", "ws:other", "\\\\elsewhere\\x"]
  ) {
    throws(() => storageAt(new URL("http://broker:4080/"), path), { code: "permission_denied" }, path);
  }
});
