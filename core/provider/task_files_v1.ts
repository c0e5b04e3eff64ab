/** The files of a provider as the existing brokers speak of them (wasimoff-v1 4.4 to 4.6). */

import { create } from "@bufbuild/protobuf";
import { WasimoffError } from "../errors.ts";
import {
  type File,
  type Filesystem_Listing_Response,
  Filesystem_Listing_ResponseSchema,
  type Filesystem_Probe_Response,
  Filesystem_Probe_ResponseSchema,
  type Filesystem_Upload_Response,
  Filesystem_Upload_ResponseSchema,
} from "../protocol/gen/wasimoff/v1/messages_pb.ts";
import { type FileRef, type FileStore, isFileRef } from "../storage/file_store.ts";
import type { ProviderOptions } from "./provider_options.ts";
import type { SlotFile } from "./slot.ts";

export interface TaskFilesOptions {
  readonly files: FileStore;
  readonly loadFile: ProviderOptions["loadFile"];
  /** Told after a file was fetched that was not here. */
  readonly onFetched: (ref: FileRef) => void;
}

/** Where every existing broker has its files, below its own URL. */
const STORAGE_PATH = "api/storage/";
/** About 300 KiB of names; a broker forgets the others only as candidates for placement. */
const MAX_LISTED_FILES = 4_096;

export class TaskFilesV1 {
  readonly #options: TaskFilesOptions;

  constructor(options: TaskFilesOptions) {
    this.#options = options;
  }

  /** The names of what is here, the most recently used first. */
  async list(): Promise<Filesystem_Listing_Response> {
    const files = await this.#options.files.list();
    return create(Filesystem_Listing_ResponseSchema, {
      files: files.slice(0, MAX_LISTED_FILES).map(({ ref }) => ref),
    });
  }

  /** Whether a file is here; nothing is fetched. */
  async probe(name = ""): Promise<Filesystem_Probe_Response> {
    const ref = refOf(name);
    const ok = ref !== null && await this.#options.files.stat(ref) !== null;
    return create(Filesystem_Probe_ResponseSchema, { ok });
  }

  /** Keeps a file that the broker sends. Rejects with `data_loss` when its reference says other content. */
  async upload(file: File | undefined): Promise<Filesystem_Upload_Response> {
    if (file?.blob === undefined) throw new WasimoffError("invalid_argument", "upload has no content");
    return create(Filesystem_Upload_ResponseSchema, { ref: await this.#keep(file.ref, file.blob) });
  }

  /** A file of a task, from the request itself or by its reference; null when it is neither. */
  async resolve({ ref: name = "", blob }: File): Promise<SlotFile | null> {
    if (blob !== undefined && blob.length > 0) {
      return { ref: await this.#keep(name, blob), load: () => Promise.resolve(blob) };
    }
    const ref = refOf(name);
    return ref === null ? null : { ref, load: () => this.#load(ref) };
  }

  async #load(ref: FileRef): Promise<Uint8Array> {
    const { files, loadFile, onFetched } = this.#options;
    const known = await files.stat(ref) !== null;
    const bytes = await loadFile(ref, STORAGE_PATH);
    if (!known) onFetched(ref);
    return bytes;
  }

  /** Other names than references say nothing of the content, and are forgotten. */
  async #keep(name: string | undefined, blob: Uint8Array): Promise<FileRef> {
    const { files } = this.#options;
    const ref = await hash(blob);
    const said = refOf(name ?? "");
    if (said !== null && said !== ref) {
      throw new WasimoffError("data_loss", `content of "${said}" is another file: it hashes to "${ref}"`);
    }
    if (await files.stat(ref) === null) await files.put(single(blob), { expectedRef: ref });
    return ref;
  }
}

/** Existing providers take references in capitals, too. */
function refOf(name: string): FileRef | null {
  const ref = name.toLowerCase();
  return isFileRef(ref) ? ref : null;
}

async function hash(bytes: Uint8Array): Promise<FileRef> {
  const digest = await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>);
  return `sha256:${new Uint8Array(digest).toHex()}`;
}

async function* single(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes);
}
