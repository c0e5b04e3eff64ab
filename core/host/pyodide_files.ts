/** The files of Pyodide, from its npm package or from within the compiled binary. */

import { WasimoffError } from "../errors.ts";
import { PYODIDE_FILES } from "../provider/python_interpreter.ts";
import type { PyodideLock } from "../provider/python_lock.ts";

/** In a variable, so that what is not run is not loaded. */
const PACKAGE: string = "pyodide/package.json";
const LOCK_FILE = "pyodide-lock.json";

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
    const urlOf = Deno.build.standalone ? embeddedUrl : await packageUrls();
    const read = (name: string) => Deno.readFile(urlOf(name));
    const files = await Promise.all(PYODIDE_FILES.map(read));
    const lock = JSON.parse(new TextDecoder().decode(await read(LOCK_FILE)));
    return { version: lock.info.version, files, lock };
  } catch (cause) {
    const message = "cannot offer python: its interpreter (npm package pyodide) is not installed";
    throw new WasimoffError("unavailable", message, { cause });
  }
}

/** Deno fetches a package when it is imported; what it resolves afterwards are files. */
async function packageUrls(): Promise<(name: string) => URL> {
  await import(PACKAGE, { with: { type: "json" } });
  return (name) => new URL(import.meta.resolve(`pyodide/${name}`));
}

/** Where tools/compile.ts puts them, seen from the bundle. */
function embeddedUrl(name: string): URL {
  return new URL(`../pyodide/${name}.bin`, import.meta.url);
}

/** Copies the files for the binary; under names that nobody takes for modules, which would be parsed. */
export async function embedPyodide(directory: string): Promise<void> {
  const urlOf = await packageUrls();
  await Deno.mkdir(directory, { recursive: true });
  for (const name of [...PYODIDE_FILES, LOCK_FILE]) {
    await Deno.copyFile(urlOf(name), `${directory}/${name}.bin`);
  }
}
