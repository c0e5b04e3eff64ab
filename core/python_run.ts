/** How a program in Python is run; its bytes are the module of its task. */

export const PYTHON_KINDS = ["script", "pickle"] as const;
export type PythonKind = typeof PYTHON_KINDS[number];

/** What a Pyodide task of wasimoff_v1 says besides its program (wasimoff-v1 7.3). */
export interface PythonRun {
  /** A script as UTF-8, or a pickle of `[callable, args, kwargs]`. */
  readonly kind: PythonKind;
  /** Names of packages to load before it; those that a script imports are found. */
  readonly packages: readonly string[];
}

/** Of the pickle of a task's result: it is kept in memory on its way. */
export const MAX_PYTHON_RESULT_BYTES = 64 * 1024 * 1024;
