import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { ClientFilesV1 } from "../../../core/broker/client_files_v1.ts";
import { startHash } from "../../../core/host/hash.ts";
import { FileSchema } from "../../../core/protocol/gen/wasimoff/v1/messages_pb.ts";
import { FileNames, UNSAVED } from "../../../core/storage/file_names.ts";
import { MemoryStore } from "../../../core/storage/memory_store.ts";
import { chunks, refOf, wasmLike } from "../../support/chunks.ts";

const WASM = wasmLike(50);
const EMPTY_ZIP = Uint8Array.fromHex("504b0506" + "00".repeat(18));

async function makeFiles() {
  const store = new MemoryStore({ maxTotalBytes: 1 << 16, startHash });
  const names = await FileNames.open(UNSAVED);
  await store.put(chunks(WASM, 50));
  await names.set("known", refOf(WASM), "local");
  return { store, names, files: new ClientFilesV1({ files: store, names, startHash }) };
}

const file = (fields: MessageInitShape<typeof FileSchema>) => create(FileSchema, fields);
const EMPTY = new Uint8Array();

/** wasimoff-v1 6.2, and the texts of 5.1. */
const REFUSED: readonly (readonly [MessageInitShape<typeof FileSchema>, code: string, message: string])[] = [
  [{}, "invalid_argument", "both Blob and Ref are nil"],
  [{ media: "application/wasm" }, "invalid_argument", "both Blob and Ref are nil"],
  [{ blob: WASM, ref: "known" }, "invalid_argument", "don't use both Blob and Ref together"],
  [{ blob: EMPTY, ref: "" }, "invalid_argument", "don't use both Blob and Ref together"],
  [{ blob: WASM, ref: "" }, "invalid_argument", "don't use both Blob and Ref together"],
  [{ ref: "" }, "not_found", "Ref not found in storage"],
  [{ ref: "unknown" }, "not_found", "Ref not found in storage"],
  [{ ref: refOf(EMPTY) }, "not_found", "Ref not found in storage"],
  [{ ref: refOf(WASM).toUpperCase() }, "not_found", "Ref not found in storage"],
  [{ blob: WASM, media: "nonsense" }, "invalid_argument", "invalid Media type"],
  [{ blob: WASM, media: "" }, "invalid_argument", "invalid Media type"],
  [{ blob: WASM, media: "text/plain" }, "invalid_argument", "unsupported filetype"],
  [{ blob: EMPTY }, "invalid_argument", "unsupported filetype"],
  [{ blob: Uint8Array.of(1, 2, 3, 4) }, "invalid_argument", "unsupported filetype"],
];

Deno.test("ClientFilesV1.pin() finds names and refs, and stores inline files once", async () => {
  const { files, store } = await makeFiles();
  for (
    const given of [{ ref: "known" }, { ref: refOf(WASM) }, { blob: WASM, media: "Application/WASM; x=y" }]
  ) {
    strictEqual((await files.pin(file(given))).ref, refOf(WASM));
  }
  strictEqual((await files.pin(file({ blob: EMPTY_ZIP }))).ref, refOf(EMPTY_ZIP));
  deepStrictEqual((await store.list()).map(({ media }) => media).sort(), [
    "application/wasm",
    "application/zip",
  ]);
});

Deno.test("ClientFilesV1.pin() refuses in the words that existing clients know", async () => {
  const { files } = await makeFiles();
  for (const [given, code, message] of REFUSED) {
    await rejects(files.pin(file(given)), { code, message }, JSON.stringify(given));
  }
});

Deno.test("ClientFilesV1.pin() keeps a file until it is let go", async () => {
  const store = new MemoryStore({ maxTotalBytes: 100, startHash });
  const files = new ClientFilesV1({ files: store, names: await FileNames.open(UNSAVED), startHash });
  const { ref, unpin } = await files.pin(file({ blob: WASM }));
  await rejects(store.put(chunks(wasmLike(80, 1), 80)), { code: "resource_exhausted" });
  unpin();
  await store.put(chunks(wasmLike(80, 1), 80));
  strictEqual(await store.stat(ref), null);
});

Deno.test("ClientFilesV1.upload() names files for who brings them, never by what looks like a ref", async () => {
  const { files, names } = await makeFiles();
  const upload = { blob: EMPTY_ZIP, media: "application/zip" };
  strictEqual(await files.upload(file({ ...upload, ref: "mine" }), "a"), refOf(EMPTY_ZIP));
  strictEqual(names.resolve("mine"), refOf(EMPTY_ZIP));
  await rejects(files.upload(file({ ...upload, ref: "mine" }), "b"), { code: "permission_denied" });
  for (const ref of [refOf(WASM), "SHA256:x", "../x", "a/b", "a\nb"]) {
    await rejects(files.upload(file({ ...upload, ref }), "a"), { code: "invalid_argument" }, ref);
  }
  await rejects(files.upload(undefined, "a"), { message: "file cannot be nil" });
  await rejects(files.upload(file({ media: "application/zip" }), "a"), { message: "file cannot be nil" });
  await rejects(files.upload(file({ blob: WASM }), "a"), { message: "invalid Media type" });
  await rejects(files.upload(file({ blob: EMPTY, media: "application/wasm" }), "a"), {
    message: "unsupported filetype",
  });
});
