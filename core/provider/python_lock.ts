/** Which packages a provider has for Python: those of Pyodide's lock file whose wheels it holds, and further wheels. */

/** What we need of an entry; the others are kept as they are. */
export interface LockedPackage {
  readonly name: string;
  readonly version: string;
  readonly file_name: string;
  /** Names of other packages. */
  readonly depends: readonly string[];
  /** Names of modules. */
  readonly imports: readonly string[];
  readonly sha256: string;
}

/** `pyodide-lock.json` of Pyodide 0.27. */
export interface PyodideLock {
  readonly info: { readonly version: string; readonly python: string; readonly abi_version: string };
  /** By normalised name. */
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

/** NAME-VERSION(-BUILD)-PYTHON-ABI-PLATFORM.whl (PEP 427). */
const WHEEL = /^([A-Za-z0-9_.]+)-([^-]+)(?:-[0-9][^-]*)?-([^-]+)-([^-]+)-([^-]+)\.whl$/;

/** Pyodide wants a hash to be there; it is not compared (see `PythonInterpreter.load`). */
const NO_SHA256 = "0".repeat(64);

/** As packages are compared (PEP 503). */
export function packageName(name: string): string {
  return name.toLowerCase().replace(/[-_.]+/g, "-");
}

/**
 * The lock file for the files of a directory. A wheel that the lock does not know, or has in another version, is added;
 * what it depends on is known only where the lock knows a version of it. `unfit` are files that are neither.
 */
export function lockFor(
  lock: PyodideLock,
  files: readonly string[],
): { readonly lock: PyodideLock; readonly unfit: readonly string[] } {
  const byFile = new Map(Object.values(lock.packages).map((entry) => [entry.file_name, entry]));
  const packages: Record<string, LockedPackage> = {};
  const unfit: string[] = [];
  for (const file of files) {
    const entry = byFile.get(file) ?? readWheel(file, lock);
    if (entry === null) unfit.push(file);
    else packages[packageName(entry.name)] = entry;
  }
  return { lock: { ...lock, packages }, unfit };
}

/** The packages that are missing for what is asked, by name, with all that they depend on. */
export function missingPackages({ packages }: PyodideLock, names: readonly string[]): string[] {
  const missing = new Set<string>();
  const seen = new Set<string>();
  const waiting = names.map(packageName);
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (seen.has(name)) continue;
    seen.add(name);
    if (Object.hasOwn(packages, name)) waiting.push(...packages[name]!.depends.map(packageName));
    else missing.add(name);
  }
  return [...missing].sort();
}

function readWheel(file: string, { info, packages }: PyodideLock): LockedPackage | null {
  const [, name = "", version = "", python = "", , platform = ""] = WHEEL.exec(file) ?? [];
  const [major, minor] = info.python.split(".");
  const pure = platform === "any" && /(^|\.)py3(\.|$)/.test(python);
  const built = python === `cp${major}${minor}` && platform === `pyodide_${info.abi_version}_wasm32`;
  if (!pure && !built) return null;
  const key = packageName(name);
  const known = Object.hasOwn(packages, key) ? packages[key] : undefined;
  const added = {
    ...{ name: key, install_dir: "site", package_type: "package", unvendored_tests: false },
    ...{ depends: [], imports: [name.split(".")[0]!] },
  };
  return { ...added, ...known, version, file_name: file, sha256: NO_SHA256 };
}
