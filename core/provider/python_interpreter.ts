/** Starts Pyodide from bytes, in a process or Worker that has nothing else. */

import { missingPackages, packageName, type PyodideLock } from "./python_lock.ts";
import type { LoadOptions, Pyodide } from "./python_runner.ts";

/** The parts of the npm package that are sent to a slot, in this order; the lock file last (see `lockFor`). */
export const PYODIDE_FILES = [
  "pyodide.js",
  "pyodide.asm.js",
  "pyodide.asm.wasm",
  "python_stdlib.zip",
] as const;
/** Loaded into every interpreter, as results are pickled by it (wasimoff-v1 7.3). */
export const CLOUDPICKLE = "cloudpickle";

/** What it is asked for by URL; nothing goes there. */
const BASE_URL = "https://pyodide.invalid/";
const LOCK_NAME = "pyodide-lock.json";
const PAGE_BYTES = 64 * 1024;
/** What pyodide.asm.wasm wants to begin with, in pages. */
const INITIAL_PAGES = 320;
/** The whole of 32 bits, as pyodide.asm.wasm declares it. */
const MAXIMUM_PAGES = 65_536;

/** The scripts of Pyodide are no modules: they leave these names in the global scope. */
interface PyodideScope {
  loadPyodide(options: { indexURL: string; stdout: () => void; stderr: () => void }): Promise<Pyodide>;
  _createPyodideModule(settings: EmscriptenSettings): Promise<unknown>;
  fetch: (url: unknown) => Promise<Fetched>;
  /** Makes it take this for a Worker of a browser. */
  importScripts: () => never;
  location: URL;
}

interface EmscriptenSettings {
  wasmMemory: WebAssembly.Memory;
  instantiateWasm: (imports: WebAssembly.Imports, done: InstanceCallback) => object;
}

type InstanceCallback = (instance: WebAssembly.Instance, module: WebAssembly.Module) => void;

/** The part of a `Response` that Pyodide looks at. */
interface Fetched {
  readonly ok: true;
  readonly status: 200;
  arrayBuffer(): Promise<ArrayBuffer>;
  json(): Promise<unknown>;
}

export interface InterpreterParts {
  /** Those of PYODIDE_FILES, by name. */
  readonly files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
  readonly lock: PyodideLock;
  /** The wheel of that name; null when it cannot be had. */
  readonly wheel: (name: string) => Uint8Array<ArrayBuffer> | null;
}

/** Pyodide, its memory, and what it may load. */
export class PythonInterpreter {
  readonly #parts: InterpreterParts;
  readonly #memory: WebAssembly.Memory;
  #maxMemoryBytes = Infinity;
  #pyodide!: Pyodide;

  private constructor(parts: InterpreterParts) {
    this.#parts = parts;
    this.#memory = new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum: MAXIMUM_PAGES });
    // The engine takes the maximum at the start, where no task has said its own yet; Emscripten grows only by this.
    const grow = this.#memory.grow.bind(this.#memory);
    this.#memory.grow = (pages) => {
      if (this.memoryBytes + pages * PAGE_BYTES > this.#maxMemoryBytes) {
        throw new RangeError("no more memory");
      }
      return grow(pages);
    };
  }

  /** Evaluates Pyodide's scripts in `scope`, the global one, and loads cloudpickle where there is a wheel of it. */
  static async start(scope: object, parts: InterpreterParts): Promise<PythonInterpreter> {
    const interpreter = new PythonInterpreter(parts);
    await interpreter.#start(scope as PyodideScope);
    return interpreter;
  }

  get pyodide(): Pyodide {
    return this.#pyodide;
  }

  /** Linear memory, bytes. */
  get memoryBytes(): number {
    return this.#memory.buffer.byteLength;
  }

  /** Beyond it Python raises MemoryError. */
  limitMemory(bytes: number): void {
    this.#maxMemoryBytes = bytes;
  }

  /** Loads packages with all that they need; returns the names of those that are missing. */
  async load(names: readonly string[]): Promise<string[]> {
    const missing = missingPackages(this.#parts.lock, names);
    if (missing.length > 0) return missing;
    await reporting((options) => this.#pyodide.loadPackage(names.map(packageName), options));
    return [];
  }

  /** Loads what is here of the packages that a script imports. */
  async loadImports(script: string): Promise<void> {
    await reporting((options) => this.#pyodide.loadPackagesFromImports(script, options));
  }

  async #start(scope: PyodideScope): Promise<void> {
    const { files, lock } = this.#parts;
    scope.location = new URL(BASE_URL);
    scope.importScripts = () => {
      throw new TypeError("scripts cannot be imported here");
    };
    scope.fetch = (url) => this.#fetch(String(url));
    const evaluate = (name: string) => (0, eval)(new TextDecoder().decode(files.get(name)!));
    evaluate("pyodide.js");
    evaluate("pyodide.asm.js");
    const createModule = scope._createPyodideModule;
    scope._createPyodideModule = (settings) => createModule({ ...settings, ...this.#settings() });
    const silent = () => {};
    this.#pyodide = await scope.loadPyodide({ indexURL: BASE_URL, stdout: silent, stderr: silent });
    if (Object.hasOwn(lock.packages, CLOUDPICKLE)) await this.load([CLOUDPICKLE]);
  }

  #settings(): EmscriptenSettings {
    return {
      wasmMemory: this.#memory,
      instantiateWasm: (imports, done) => {
        const module = new WebAssembly.Module(this.#parts.files.get("pyodide.asm.wasm")!);
        const instance = new WebAssembly.Instance(module, imports);
        queueMicrotask(() => done(instance, module)); // it expects this to take a while
        return {};
      },
    };
  }

  /** In place of the network: the files that we hold, and wheels as long as the provider gives them. */
  // deno-lint-ignore require-await -- its caller expects a promise also where it fails
  async #fetch(url: string): Promise<Fetched> {
    const name = url.startsWith(BASE_URL) ? decodeURIComponent(url.slice(BASE_URL.length)) : "";
    const { files, lock, wheel } = this.#parts;
    const bytes = name === LOCK_NAME
      ? new TextEncoder().encode(JSON.stringify(lock))
      : files.get(name) ?? (name === "" ? null : wheel(name));
    if (bytes === null) throw new TypeError(`cannot fetch "${url}": there is no network here`);
    const body = bytes.slice().buffer;
    return {
      ...{ ok: true, status: 200 },
      arrayBuffer: () => Promise.resolve(body),
      json: () => Promise.resolve(JSON.parse(new TextDecoder().decode(body))),
    };
  }
}

/** Loads packages; throws what Pyodide only tells people at a console. */
async function reporting(load: (options: LoadOptions) => Promise<unknown>): Promise<void> {
  const problems: string[] = [];
  await load({
    messageCallback() {},
    errorCallback: (message) => void problems.push(message),
    checkIntegrity: false, // of a wheel that the operator put in place of the one that the lock file knows
  });
  if (problems.length > 0) throw new Error(problems.join(" "));
}
