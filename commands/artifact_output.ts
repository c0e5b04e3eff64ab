/** `-o`: what the guest made, as a ZIP file or unpacked into a directory. */

import type { ByteSink } from "../core/byte_stream.ts";
import { WasimoffError } from "../core/errors.ts";
import { MAX_ARTIFACT_BYTES } from "../core/provider/slot.ts";
import { replaceFile } from "./replace_file.ts";
import { formatSize } from "./size.ts";
import { type UnpackOptions, unpackZip } from "./unpack_zip.ts";
import { usageError } from "./usage_error.ts";

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

/** Refuses a place that could not take the artifacts, before a task has run for nothing. */
export async function checkArtifactTarget(target: string): Promise<void> {
  const there = await statIfPresent(target);
  if (!isZip(target)) {
    if (there === null || there.isDirectory) return;
    throw usageError(`-o "${target}" is a file: name a directory, or a file that ends with ".zip"`);
  }
  if (there?.isDirectory) throw usageError(`-o "${target}" is a directory: name a file in it`);
  const parent = target.includes("/") ? target.slice(0, target.lastIndexOf("/") + 1) : ".";
  if (!(await statIfPresent(parent))?.isDirectory) {
    throw usageError(`-o "${target}": there is no directory "${parent}", make it first`);
  }
}

async function statIfPresent(path: string): Promise<Deno.FileInfo | null> {
  try {
    return await Deno.stat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return null;
    throw new WasimoffError("unknown", `look at "${path}": ${WasimoffError.from(error).message}`, {
      cause: error,
    });
  }
}

function isZip(target: string): boolean {
  return target.toLowerCase().endsWith(".zip");
}

/** Collects the ZIP of artifacts, which stays in memory until it is whole: a broken task leaves nothing behind. */
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
    if (!isZip(this.#target)) {
      await unpackZip(zip, this.#target, { onSkippedLink: this.#onSkippedLink });
      return true;
    }
    try {
      await replaceFile(this.#target, (temporary) => Deno.writeFile(temporary, zip));
    } catch (error) {
      throw new WasimoffError("unknown", `write "${this.#target}": ${WasimoffError.from(error).message}`, {
        cause: error,
      });
    }
    return true;
  }
}
