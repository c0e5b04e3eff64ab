/** Files as the existing clients name and bring them (wasimoff-v1 5.1 and 6.2). */

import { WasimoffError } from "../errors.ts";
import type { File } from "../protocol/gen/wasimoff/v1/messages_pb.ts";
import type { FileNames } from "../storage/file_names.ts";
import type { FileRef, FileStore, StartHash } from "../storage/file_store.ts";
import { OTHER_MEDIA, sniffMedia, WASM_MEDIA, ZIP_MEDIA } from "../storage/media.ts";
import type { Identity } from "./identity/identifier.ts";

export interface ClientFilesV1Options {
  readonly files: FileStore;
  readonly names: FileNames;
  readonly startHash: StartHash;
}

/** A stored file that stays until `unpin` is called (once). */
export interface PinnedFile {
  readonly ref: FileRef;
  readonly unpin: () => void;
}

/** Messages are those of the existing broker: its clients may know them. */
export class ClientFilesV1 {
  readonly #options: ClientFilesV1Options;

  constructor(options: ClientFilesV1Options) {
    this.#options = options;
  }

  /** The file of a task, which is stored here if it is not yet. A field counts as given when it is present, even empty. */
  async pin(file: File): Promise<PinnedFile> {
    const ref = await this.#find(file);
    return { ref, unpin: this.#options.files.pin(ref) };
  }

  /** A program in Python, which has no media type that a name could be given to. */
  async pinProgram(program: Uint8Array): Promise<PinnedFile> {
    const ref = await this.#keep(program);
    return { ref, unpin: this.#options.files.pin(ref) };
  }

  /** Stores a file, and points the owner's name to it when there is one. */
  async upload(upload: File | undefined, owner: Identity): Promise<FileRef> {
    if (upload?.blob === undefined) throw invalid("file cannot be nil");
    checkMedia(upload.media ?? "");
    const name = upload.ref ?? "";
    if (name !== "") this.#options.names.check(name, owner);
    const ref = await this.#store(upload.blob);
    if (name !== "") await this.#options.names.set(name, ref, owner);
    return ref;
  }

  async #find({ blob, ref, media }: File): Promise<FileRef> {
    if (blob !== undefined && ref !== undefined) throw invalid("don't use both Blob and Ref together");
    if (blob !== undefined) {
      if (media !== undefined) checkMedia(media);
      return await this.#store(blob);
    }
    if (ref === undefined) throw invalid("both Blob and Ref are nil");
    const found = this.#options.names.resolve(ref);
    if (found !== null && await this.#options.files.stat(found) !== null) return found;
    throw new WasimoffError("not_found", "Ref not found in storage");
  }

  async #store(blob: Uint8Array): Promise<FileRef> {
    if (sniffMedia(blob) === OTHER_MEDIA) throw invalid("unsupported filetype");
    return await this.#keep(blob);
  }

  /** Hashes first: clients that send the same module with each task should not make us write it each time. */
  async #keep(blob: Uint8Array): Promise<FileRef> {
    const { files, startHash } = this.#options;
    const hash = startHash();
    hash.update(blob);
    const ref: FileRef = `sha256:${hash.digest()}`;
    if (await files.stat(ref) === null) await files.put(whole(blob), { expectedRef: ref });
    return ref;
  }
}

async function* whole(blob: Uint8Array): AsyncGenerator<Uint8Array> {
  yield blob;
}

/** Parameters of a media type are ignored. */
function checkMedia(media: string): void {
  const type = /^\s*([\w.+-]+\/[\w.+-]+)\s*(;.*)?$/s.exec(media)?.[1]?.toLowerCase();
  if (type === undefined) throw invalid("invalid Media type");
  if (type !== WASM_MEDIA && type !== ZIP_MEDIA) throw invalid("unsupported filetype");
}

function invalid(message: string): WasimoffError {
  return new WasimoffError("invalid_argument", message);
}
