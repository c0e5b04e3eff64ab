import { deepStrictEqual, rejects, strictEqual, throws } from "node:assert/strict";
import { WasimoffError } from "../../../core/errors.ts";
import {
  checkFileName,
  FileNames,
  MAX_NAMES,
  type NameEntry,
  UNSAVED,
} from "../../../core/storage/file_names.ts";
import { refOf, wasmLike } from "../../support/chunks.ts";

const [A, B] = [refOf(wasmLike(10, 1)), refOf(wasmLike(10, 2))];

Deno.test("checkFileName() lets ordinary names through", () => {
  for (const name of ["prog", "tsp.wasm", "größe 1", "ключ", "-", ".hidden", "a.b", "名".repeat(85)]) {
    checkFileName(name);
  }
});

Deno.test("checkFileName() refuses refs, paths, control characters and lengths", () => {
  const bad = [
    "",
    A,
    "sha256:x",
    "SHA256:x",
    "..",
    ".",
    "a..b",
    "../x",
    "a/b",
    "/",
    "a\\b",
    "a\0",
    "a\n",
    "\x1b[2J",
    "a\x7f",
    "a\x85",
    "a\u202eb",
    "a\u2028b",
    "\ud800",
    "x".repeat(256),
    "名".repeat(86),
  ];
  for (const name of bad) {
    throws(() => checkFileName(name), { code: "invalid_argument" }, JSON.stringify(name));
  }
});

Deno.test("FileNames.set() points a name of one's own to another file, never somebody else's", async () => {
  const names = await FileNames.open(UNSAVED);
  await names.set("prog", A, "me");
  await names.set("prog", B, "me");
  strictEqual(names.resolve("prog"), B);
  await rejects(names.set("prog", A, "you"), { code: "permission_denied" });
  throws(() => names.check("prog", "you"), { code: "permission_denied" });
  await rejects(names.set("../prog", A, "you"), { code: "invalid_argument" });
  strictEqual(names.resolve("prog"), B);
  strictEqual(names.resolve(A), A);
  strictEqual(names.resolve("other"), null);
  strictEqual(names.resolve("__proto__"), null);
});

Deno.test("FileNames.delete() and deleteRef() remove what is one's own", async () => {
  const names = await FileNames.open(UNSAVED);
  await names.set("a1", A, "me");
  await names.set("a2", A, "me");
  await names.set("b", B, "you");
  deepStrictEqual(names.byRef(), new Map([[A, ["a1", "a2"]], [B, ["b"]]]));
  await rejects(names.delete("b", "me"), { code: "permission_denied" });
  await rejects(names.deleteRef(B, "me"), { code: "permission_denied" });
  strictEqual(await names.delete("a1", "me"), true);
  strictEqual(await names.delete("a1", "me"), false);
  await names.deleteRef(A, "me");
  deepStrictEqual(names.byRef(), new Map([[B, ["b"]]]));
});

Deno.test("FileNames.set() refuses further names at MAX_NAMES", async () => {
  const entries: NameEntry[] = Array.from(
    { length: MAX_NAMES },
    (_, i) => ({ name: `n${i}`, ref: A, owner: "me" }),
  );
  const names = await FileNames.open({ load: () => Promise.resolve(entries), save: () => Promise.resolve() });
  await rejects(names.set("more", A, "me"), { code: "resource_exhausted" });
  await names.set("n0", B, "me");
  await names.delete("n1", "me");
  await names.set("more", A, "me");
  strictEqual(names.resolve("more"), A);
});

Deno.test("FileNames changes nothing when it cannot save, and saves one change after the other", async () => {
  const saved: string[] = [];
  let broken = false;
  const names = await FileNames.open({
    load: () => Promise.resolve([]),
    save: async (entries) => {
      const text = entries.map(({ name }) => name).join();
      await Promise.resolve();
      if (broken) throw new WasimoffError("resource_exhausted", "disk is full");
      saved.push(text);
    },
  });
  await Promise.all(["a", "b", "c"].map((name) => names.set(name, A, "me")));
  deepStrictEqual(saved, ["a", "a,b", "a,b,c"]);
  broken = true;
  await rejects(names.set("a", B, "me"), { code: "resource_exhausted" });
  await rejects(names.delete("b", "me"), { code: "resource_exhausted" });
  broken = false;
  strictEqual(names.resolve("a"), A);
  await names.set("d", B, "me");
  strictEqual(saved.at(-1), "a,b,c,d");
});
