/** What a slot keeps between tasks: compiled modules and unpacked trees, and how it asks for what it lacks. */

import { WasimoffError } from "../errors.ts";
import { Directory } from "../wasi/inode.ts";
import type { VolumeLimits } from "../wasi/volume.ts";
import { prepareModule } from "../wasi/module_check.ts";
import type { ImportedMemory } from "../wasi/program.ts";
import type { FileRef } from "../storage/file_store.ts";
import { LruCache } from "./lru_cache.ts";

/** Compiled code is a few times as large as the module, so this is some 200 MiB at the very most. */
const MODULE_CACHE = { maxEntries: 32, maxBytes: 48 * 1024 * 1024 };
/** By unpacked size; larger trees are unpacked for each task. */
const TREE_CACHE = { maxEntries: 8, maxBytes: 48 * 1024 * 1024 };
/** CPython with its standard library has 26 MiB. */
const MAX_MODULE_BYTES = 64 * 1024 * 1024;

/** A module that can be run, as `Program` wants it. */
export interface CompiledModule {
  readonly module: WebAssembly.Module;
  readonly importedMemory: ImportedMemory | null;
}

/** Compiles bytes that have been checked and limited. */
export function compileModule(bytes: Uint8Array, maxMemoryBytes: number): CompiledModule {
  const prepared = prepareModule(bytes, { maxMemoryBytes, maxModuleBytes: MAX_MODULE_BYTES });
  return {
    module: new WebAssembly.Module(prepared.bytes as Uint8Array<ArrayBuffer>),
    importedMemory: prepared.importedMemory,
  };
}

/** Asks the provider for a file; rejects with a `WasimoffError` when it cannot be had. */
export type NeedFile = (ref: FileRef) => Promise<Uint8Array>;

/** Compiles and unpacks each file once, while it stays in use. */
export class SlotFiles {
  readonly #need: NeedFile;
  readonly #modules = new LruCache<CompiledModule>(MODULE_CACHE);
  readonly #trees = new LruCache<Directory>(TREE_CACHE);

  constructor(need: NeedFile) {
    this.#need = need;
  }

  /**
   * The module with its memory limited to `memoryBytes`, which is a part of the compiled code. Throws
   * `invalid_argument` or WebAssembly.CompileError when it is no fit module.
   */
  async module(ref: FileRef, memoryBytes: number): Promise<CompiledModule> {
    const key = `${ref} ${memoryBytes}`;
    const known = this.#modules.get(key);
    if (known !== undefined) return known;
    const bytes = await this.#need(ref);
    const compiled = compileModule(bytes, memoryBytes);
    this.#modules.set(key, compiled, bytes.length);
    return compiled;
  }

  /** A tree of its own for one task, with the contents of a ZIP; `failed_precondition` when it is unfit. */
  async tree(ref: FileRef, limits: VolumeLimits): Promise<Directory> {
    // Loaded with the first ZIP only: it brings a package with it, and most tasks have none.
    const { forkDirectory, unpackZip } = await import("../wasi/rootfs.ts");
    const known = this.#trees.get(ref);
    if (known !== undefined) return forkDirectory(known, limits);
    const tree = await unpackZip(await this.#need(ref)).catch((error: unknown) => {
      throw unfitZip(error);
    });
    this.#trees.set(ref, tree, treeBytes(tree));
    return forkDirectory(tree, limits);
  }
}

/** `invalid_argument` is for the module alone, as it has an exit status of its own. */
function unfitZip(error: unknown): unknown {
  if (!(error instanceof WasimoffError)) return error;
  return new WasimoffError("failed_precondition", error.message, { cause: error });
}

function treeBytes(directory: Directory): number {
  let bytes = directory.size;
  for (const { inode } of directory.list()) {
    bytes += inode instanceof Directory ? treeBytes(inode) : inode.size;
  }
  return bytes;
}
