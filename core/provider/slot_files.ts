/** What a slot keeps between tasks: compiled modules and unpacked trees, and how it asks for what it lacks. */

import { WasimoffError } from "../errors.ts";
import { type ModuleLimits, prepareModule } from "../wasi/module_check.ts";
import type { ImportedMemory } from "../wasi/program.ts";
import { type Rootfs, unpackZip } from "../wasi/rootfs.ts";
import type { FileRef } from "../storage/file_store.ts";
import { LruCache } from "./lru_cache.ts";
import { CODE_FACTOR, MODULE_CACHE, TREE_CACHE } from "./kept_files.ts";

/** CPython with its standard library has 26 MiB. */
const MAX_MODULE_BYTES = 64 * 1024 * 1024;

/** A module that can be run, as `Program` wants it. */
export interface CompiledModule {
  readonly module: WebAssembly.Module;
  readonly importedMemory: ImportedMemory | null;
  readonly startExport: string | null;
}

/** Compiles bytes that have been checked and limited. */
export function compileModule(
  bytes: Uint8Array,
  limits: Omit<ModuleLimits, "maxModuleBytes">,
): CompiledModule {
  const prepared = prepareModule(bytes, { ...limits, maxModuleBytes: MAX_MODULE_BYTES });
  return {
    module: new WebAssembly.Module(prepared.bytes as Uint8Array<ArrayBuffer>),
    importedMemory: prepared.importedMemory,
    startExport: prepared.startExport,
  };
}

/** Asks the provider for a file; rejects with a `WasimoffError` when it cannot be had. */
export type NeedFile = (ref: FileRef) => Promise<Uint8Array>;

/** Compiles and unpacks each file once, while it stays in use. */
export class SlotFiles {
  readonly #need: NeedFile;
  readonly #heapTypes: boolean;
  readonly #modules = new LruCache<CompiledModule>(MODULE_CACHE);
  readonly #trees = new LruCache<Rootfs>(TREE_CACHE);

  /** `heapTypes`: whether modules may use garbage collection. */
  constructor(need: NeedFile, heapTypes: boolean) {
    this.#need = need;
    this.#heapTypes = heapTypes;
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
    const compiled = compileModule(bytes, { maxMemoryBytes: memoryBytes, heapTypes: this.#heapTypes });
    this.#modules.set(key, compiled, bytes.length);
    return compiled;
  }

  /** The unpacked tree of a ZIP, to be forked; `failed_precondition` when it is unfit. */
  async rootfs(ref: FileRef): Promise<Rootfs> {
    const known = this.#trees.get(ref);
    if (known !== undefined) return known;
    const zip = await this.#need(ref);
    const rootfs = await unpackZip(zip).catch((error: unknown) => {
      throw unfitZip(error);
    });
    // Freed at once: the engine would let a hundred megabytes wait for its next collection.
    (zip.buffer as ArrayBuffer).transfer(0);
    this.#trees.set(ref, rootfs, rootfs.bytes);
    return rootfs;
  }

  /** Memory that is kept for later tasks, about. */
  get bytes(): number {
    return CODE_FACTOR * this.#modules.bytes + this.#trees.bytes;
  }
}

/** `invalid_argument` is for the module alone, as it has an exit status of its own. */
function unfitZip(error: unknown): unknown {
  if (!(error instanceof WasimoffError)) return error;
  return new WasimoffError("failed_precondition", error.message, { cause: error });
}
