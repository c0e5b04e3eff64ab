/** The files of Pyodide, from its npm package or from within the compiled binary. */

import { WasimoffError } from "../errors.ts";
import { PYODIDE_FILES } from "../provider/python_interpreter.ts";
import type { PyodideLock } from "../provider/python_lock.ts";

/** In a variable, so that Deno does not fetch the package for those who never run Python. */
const PACKAGE: string = "pyodide/package.json";

export interface PyodidePackage {
  /** Of Pyodide. */
  readonly version: string;
  /** The contents of PYODIDE_FILES, in their order. */
  readonly files: readonly Uint8Array[];
  readonly lock: PyodideLock;
}

/** Reads some 14 MB. Rejects with `unavailable` when the package is not there and cannot be fetched. */
export async function readPyodide(): Promise<PyodidePackage> {
  try {
    // Deno fetches a package when it is imported; what it resolves afterwards are files.
    const { default: { version } } = await import(PACKAGE, { with: { type: "json" } });
    const read = (name: string) => Deno.readFile(new URL(import.meta.resolve(`pyodide/${name}`)));
    const files = await Promise.all(PYODIDE_FILES.map(read));
    const lock = JSON.parse(new TextDecoder().decode(await read("pyodide-lock.json")));
    return { version, files, lock };
  } catch (cause) {
    const message = "cannot offer python: its interpreter (npm package pyodide) is not installed";
    throw new WasimoffError("unavailable", message, { cause });
  }
}
