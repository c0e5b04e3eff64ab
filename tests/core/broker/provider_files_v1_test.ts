import assert from "node:assert/strict";
import { MAX_INLINE_FILE_BYTES, ProviderFilesV1 } from "../../../core/broker/provider_files_v1.ts";
import type { FileRef } from "../../../core/storage/file_store.ts";
import { ref } from "./dispatcher/test_dispatcher.ts";

const MEDIA = "application/wasm";
const blob = Uint8Array.of(1, 2, 3);

function store(size = blob.length) {
  return {
    stat: (ref: FileRef) => Promise.resolve({ ref, media: MEDIA, size }),
    bytes: (file: FileRef) => Promise.resolve(file === ref(9) ? null : blob),
  };
}

Deno.test("who can fetch gets references", async () => {
  assert.deepEqual(await new ProviderFilesV1(null).file(ref(1), MEDIA), { ref: ref(1), media: MEDIA });
});

Deno.test("who cannot fetch gets the content until it has it, and again when it has lost it", async () => {
  const files = new ProviderFilesV1(store());
  const whole = { ref: ref(1), media: MEDIA, blob };
  assert.deepEqual(await files.file(ref(1), MEDIA), whole);
  assert.deepEqual(await files.file(ref(1), MEDIA), whole, "sent is not received");
  files.add([ref(1)]);
  assert.deepEqual(await files.file(ref(1), MEDIA), { ref: ref(1), media: MEDIA });
  files.delete([ref(1)]);
  assert.deepEqual(await files.file(ref(1), MEDIA), whole);
});

Deno.test("only so many files are remembered, those used last", async () => {
  const files = new ProviderFilesV1(store());
  files.add(Array.from({ length: 2_000 }, (_, number) => ref(100 + number)));
  assert.deepEqual(await files.file(ref(2_099), MEDIA), { ref: ref(2_099), media: MEDIA });
  assert.deepEqual(await files.file(ref(100), MEDIA), { ref: ref(100), media: MEDIA, blob });
});

Deno.test("a file that is too large to travel, or gone, is a loss", async () => {
  await assert.rejects(new ProviderFilesV1(store(MAX_INLINE_FILE_BYTES + 1)).file(ref(1), MEDIA), {
    code: "out_of_range",
  });
  await assert.rejects(new ProviderFilesV1(store()).file(ref(9), MEDIA), { code: "not_found" });
});
