/** `-o`: what the guest made, as a ZIP file or unpacked into a directory. */

import type { ByteSink } from "../core/byte_stream.ts";
import { WasimoffError } from "../core/errors.ts";
import { formatSize } from "./size.ts";
import { type UnpackOptions, unpackZip } from "./unpack_zip.ts";
import { usageError } from "./usage_error.ts";

/** The ZIP is kept in memory until it is whole, so that a broken task leaves nothing behind. */
export const MAX_ARTIFACT_BYTES = 256 * 1024 * 1024;

export interface ArtifactFlags {
  readonly artifact: readonly string[];
  readonly output: string | null;
}

/** Refuses artifacts that would go nowhere, and a place for artifacts that nobody asks for. */
export function checkArtifactFlags({ artifact, output }: ArtifactFlags): void {
  if (artifact.length > 0 && output === null) {
    throw usageError("--artifact without -o: say where to, with -o FILE.zip or -o DIRECTORY");
  }
  if (artifact.length === 0 && output !== null) {
    throw usageError(`-o "${output}" without --artifact: say what to bring back, with --artifact PATH`);
  }
}

/** Collects the ZIP of artifacts. */
export class ArtifactOutput implements ByteSink {
  readonly #target: string;
  readonly #onSkippedLink: UnpackOptions["onSkippedLink"];
  readonly #maxBytes: number;
  #chunks: Uint8Array<ArrayBuffer>[] = [];
  #size = 0;
  #ended = false;

  /** A target that ends with `.zip` is a file, any other a directory. */
  constructor(target: string, onSkippedLink: UnpackOptions["onSkippedLink"], maxBytes = MAX_ARTIFACT_BYTES) {
    this.#target = target;
    this.#onSkippedLink = onSkippedLink;
    this.#maxBytes = maxBytes;
  }

  write(chunk: Uint8Array): void {
    this.#size += chunk.length;
    if (this.#size > this.#maxBytes) {
      throw new WasimoffError("out_of_range", `the artifacts have more than ${formatSize(this.#maxBytes)}`);
    }
    this.#chunks.push(new Uint8Array(chunk));
  }

  end(): void {
    this.#ended = true;
  }

  abort(): void {
    this.#chunks = [];
    this.#size = 0;
  }

  /** Writes what came, after the task has ended; nothing when no ZIP came to its proper end. */
  async save(): Promise<boolean> {
    if (!this.#ended || this.#size === 0) return false;
    const zip = new Uint8Array(await new Blob(this.#chunks).arrayBuffer());
    this.#chunks = [];
    if (!this.#target.toLowerCase().endsWith(".zip")) {
      await unpackZip(zip, this.#target, { onSkippedLink: this.#onSkippedLink });
      return true;
    }
    try {
      await Deno.writeFile(this.#target, zip);
    } catch (error) {
      throw new WasimoffError("unknown", `write "${this.#target}": ${WasimoffError.from(error).message}`, {
        cause: error,
      });
    }
    return true;
  }
}
