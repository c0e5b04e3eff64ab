/** The storage routes of an existing broker (wasimoff-v1 5.4). */

import type { IncomingMessage, ServerResponse } from "node:http";
import { type File, FileSchema } from "../../core/protocol/gen/wasimoff/v1/messages_pb.ts";
import { create } from "@bufbuild/protobuf";
import { refOf } from "./chunks.ts";

const REF = /^sha256:[0-9a-f]{64}$/;

export class ScriptedStorage {
  readonly files = new Map<string, { media: string; bytes: Uint8Array }>();
  readonly names = new Map<string, string>();
  /** Method and path of each request for storage. */
  readonly log: string[] = [];
  /** What is answered to an upload instead of the reference. */
  lie: string | null = null;

  put(bytes: Uint8Array, name?: string): string {
    const ref = refOf(bytes);
    this.files.set(ref, { media: sniff(bytes) ?? "application/wasm", bytes });
    if (name !== undefined) this.names.set(name, ref);
    return ref;
  }

  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url!, "http://localhost");
    if (url.pathname === "/api/broker/v1/config") {
      return void response.writeHead(404).end("404 page not found\n");
    }
    this.log.push(`${request.method} ${url.pathname}`);
    const body: Uint8Array[] = [];
    for await (const chunk of request) body.push(chunk);
    if (request.method === "POST" && url.pathname === "/api/storage/upload") {
      return this.#upload(await new Blob(body as BlobPart[]).bytes(), url.searchParams.get("name"), response);
    }
    const name = decodeURIComponent(url.pathname.slice("/api/storage/".length));
    const ref = this.files.has(name) ? name : this.names.get(name);
    const file = ref === undefined ? undefined : this.files.get(ref);
    if (file === undefined || !url.pathname.startsWith("/api/storage/")) {
      return void response.writeHead(404).end("404 page not found\n");
    }
    response.writeHead(200, {
      "content-type": file.media,
      "content-length": file.bytes.length,
      "x-wasimoff-ref": ref,
      "access-control-allow-origin": "*",
    });
    response.end(request.method === "HEAD" ? undefined : file.bytes);
  }

  /** Headers are set after the status line there, and so never sent. */
  #upload(bytes: Uint8Array, name: string | null, response: ServerResponse): void {
    if (sniff(bytes) === null) return void response.writeHead(415).end("unsupported filetype\n");
    const ref = this.put(bytes, name ?? undefined);
    response.writeHead(200).end(`${this.lie ?? ref}\n`);
  }

  /** A file of a task as it is sent on to the provider (wasimoff-v1 6.2). */
  resolve(file: File | undefined): File | undefined {
    if (file === undefined) return undefined;
    if (file.blob !== undefined && file.ref !== undefined) {
      throw new Error("don't use both Blob and Ref together");
    }
    if (file.blob !== undefined) return file;
    if (file.ref === undefined) throw new Error("both Blob and Ref are nil");
    const ref = this.files.has(file.ref) ? file.ref : this.names.get(file.ref);
    if (ref === undefined || !REF.test(ref)) throw new Error("Ref not found in storage");
    return create(FileSchema, { ref, media: this.files.get(ref)!.media });
  }
}

/** An empty ZIP is refused there. */
function sniff(bytes: Uint8Array): string | null {
  const head = bytes.subarray(0, 4).toHex();
  return head === "0061736d" ? "application/wasm" : head === "504b0304" ? "application/zip" : null;
}
