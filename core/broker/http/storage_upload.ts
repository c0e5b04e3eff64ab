/** `POST /api/storage/upload?name=`: streams a body into the store (wasimoff-v1 5.4). */

import { WasimoffError } from "../../errors.ts";
import type { FileNames } from "../../storage/file_names.ts";
import type { FileStore } from "../../storage/file_store.ts";
import { MediaSniffer, OTHER_MEDIA } from "../../storage/media.ts";
import type { HttpContext } from "./http_env.ts";

export interface StorageUploadDeps {
  readonly files: FileStore;
  readonly names: FileNames;
  readonly maxUploadBytes: number;
}

/** A body that brings nothing for so long is given up. */
const BODY_IDLE_TIMEOUT_MS = 60_000;

/** Answers `sha256:…\n`; 415 as text for what is neither a module nor a ZIP, as the existing broker does. */
export async function uploadFile(context: HttpContext, deps: StorageUploadDeps): Promise<Response> {
  const { files, names, maxUploadBytes } = deps;
  const owner = context.get("identity");
  const name = context.req.query("name") ?? "";
  if (name !== "") names.check(name, owner);
  if (Number(context.req.header("content-length") ?? 0) > maxUploadBytes) {
    throw new WasimoffError("out_of_range", `file is too large: ${maxUploadBytes} bytes are allowed`);
  }
  const reader = context.req.raw.body?.getReader();
  try {
    const chunks = bodyChunks(reader);
    const head = await readHead(chunks);
    if (head.media === OTHER_MEDIA) return context.text("unsupported filetype\n", 415);
    const { ref } = await files.put(joined(head.chunks, chunks), { maxBytes: maxUploadBytes });
    if (name !== "") await names.set(name, ref, owner);
    return context.text(`${ref}\n`, 200, { "x-wasimoff-ref": ref });
  } finally {
    // Not awaited: a body that hangs would not let go. The server drains or cuts what is left of it.
    reader?.cancel().catch(() => {});
  }
}

type BodyReader = ReadableStreamDefaultReader<Uint8Array>;

/** The body's chunks; one that breaks off or stalls is an error, never an end. */
async function* bodyChunks(reader: BodyReader | undefined): AsyncGenerator<Uint8Array> {
  if (reader === undefined) return;
  for (;;) {
    const next = await readInTime(reader);
    if (next.done) return;
    yield next.value;
  }
}

async function readInTime(reader: BodyReader): Promise<ReadableStreamReadResult<Uint8Array>> {
  const stalled = Promise.withResolvers<never>();
  const cause = new WasimoffError("deadline_exceeded", "upload has stalled: send it again");
  const timer = setTimeout(() => stalled.reject(cause), BODY_IDLE_TIMEOUT_MS);
  try {
    return await Promise.race([reader.read(), stalled.promise]);
  } catch (cause) {
    if (cause instanceof WasimoffError) throw cause;
    throw new WasimoffError("canceled", "upload broke off: send it again", { cause });
  } finally {
    clearTimeout(timer);
  }
}

/** As many chunks as the media type needs. */
async function readHead(
  chunks: AsyncGenerator<Uint8Array>,
): Promise<{ media: string; chunks: Uint8Array[] }> {
  const sniffer = new MediaSniffer();
  const read: Uint8Array[] = [];
  while (!sniffer.decided) {
    const next = await chunks.next();
    if (next.done) break;
    read.push(next.value);
    sniffer.update(next.value);
  }
  return { media: sniffer.media, chunks: read };
}

async function* joined(head: Uint8Array[], rest: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* head;
  yield* rest;
}
