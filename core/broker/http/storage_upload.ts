/** `POST /api/storage/upload?name=`: streams a body into the store (wasimoff-v1 5.4). */

import { WasimoffError } from "../../errors.ts";
import type { FileNames } from "../../storage/file_names.ts";
import type { FileStore } from "../../storage/file_store.ts";
import { MediaSniffer, OTHER_MEDIA, PYTHON_MEDIA } from "../../storage/media.ts";
import type { HttpContext } from "./http_env.ts";
import { RequestBody } from "./request_body.ts";

export interface StorageUploadDeps {
  readonly files: FileStore;
  readonly names: FileNames;
  readonly maxUploadBytes: number;
}

/** Answers `sha256:…\n`; 415 as text for what is neither a module nor a ZIP, as the existing broker does, nor called Python. */
export async function uploadFile(context: HttpContext, deps: StorageUploadDeps): Promise<Response> {
  const { files, names, maxUploadBytes } = deps;
  const owner = context.get("identity");
  const name = context.req.query("name") ?? "";
  if (name !== "") names.check(name, owner);
  if (Number(context.req.header("content-length") ?? 0) > maxUploadBytes) {
    throw new WasimoffError("out_of_range", `file is too large: ${maxUploadBytes} bytes are allowed`);
  }
  using body = new RequestBody(context.req.raw);
  const chunks = body[Symbol.asyncIterator]();
  const head = await readHead(chunks);
  const isPython = context.req.header("content-type") === PYTHON_MEDIA;
  if (head.media === OTHER_MEDIA && !isPython) return context.text("unsupported filetype\n", 415);
  const { ref } = await files.put(joined(head.chunks, chunks), { maxBytes: maxUploadBytes });
  if (name !== "") await names.set(name, ref, owner);
  return context.text(`${ref}\n`, 200, { "x-wasimoff-ref": ref });
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
