/** Tests of which packages a provider of Python has. */

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import {
  lockFor,
  missingPackages,
  packageName,
  type PyodideLock,
} from "../../../core/provider/python_lock.ts";

const entry = (name: string, file_name: string, depends: string[] = [], imports = [name]) => ({
  [packageName(name)]: { name, version: "1.0", file_name, depends, imports, sha256: "12".repeat(32) },
});

const LOCK: PyodideLock = {
  info: { version: "0.27.2", python: "3.12.7", abi_version: "2024_0" },
  packages: {
    ...entry("cloudpickle", "cloudpickle-3.0.0-py3-none-any.whl"),
    ...entry("numpy", "numpy-2.0.2-cp312-cp312-pyodide_2024_0_wasm32.whl", ["openblas"]),
    ...entry("openblas", "openblas-0.3.26.zip"),
    ...entry("Jinja2", "Jinja2-3.1.3-py3-none-any.whl", ["MarkupSafe"], ["jinja2"]),
  },
};

Deno.test("lockFor() keeps of the lock what is there", () => {
  const { lock, unfit } = lockFor(LOCK, ["cloudpickle-3.0.0-py3-none-any.whl", "openblas-0.3.26.zip"]);
  deepStrictEqual(Object.keys(lock.packages), ["cloudpickle", "openblas"]);
  deepStrictEqual(lock.packages.cloudpickle, LOCK.packages.cloudpickle);
  deepStrictEqual([lock.info, unfit], [LOCK.info, []]);
});

Deno.test("lockFor() takes another version of a package in place of the one that the lock knows", () => {
  const { lock: { packages } } = lockFor(LOCK, ["jinja2-4.0-py2.py3-none-any.whl"]);
  const { version, file_name, depends, imports } = packages.jinja2!;
  deepStrictEqual([version, file_name], ["4.0", "jinja2-4.0-py2.py3-none-any.whl"]);
  deepStrictEqual([depends, imports], [["MarkupSafe"], ["jinja2"]]);
});

Deno.test("lockFor() adds packages that the lock does not know, by the name of their wheel", () => {
  const { lock: { packages } } = lockFor(LOCK, ["my_tools.x-0.1-1-py3-none-any.whl"]);
  deepStrictEqual([Object.keys(packages), packages["my-tools-x"]!.imports], [["my-tools-x"], ["my_tools"]]);
});

Deno.test("lockFor() tells which files are no packages for this Python", () => {
  const unfit = [
    ...["numpy-2.0.2-cp311-cp311-pyodide_2024_0_wasm32.whl", "numpy-2.0.2-cp312-cp312-linux_x86_64.whl"],
    ...[
      "numpy-2.0.2-cp312-cp312-pyodide_2025_0_wasm32.whl",
      "old-1.0-py2-none-any.whl",
      "x.whl",
      "backup.zip",
    ],
  ];
  deepStrictEqual(lockFor(LOCK, unfit).unfit, unfit);
});

Deno.test("missingPackages() follows what packages depend on, and takes names in any spelling", () => {
  const { lock } = lockFor(LOCK, [
    "numpy-2.0.2-cp312-cp312-pyodide_2024_0_wasm32.whl",
    "openblas-0.3.26.zip",
  ]);
  deepStrictEqual(missingPackages(lock, ["NumPy"]), []);
  const { lock: partial } = lockFor(LOCK, ["numpy-2.0.2-cp312-cp312-pyodide_2024_0_wasm32.whl"]);
  deepStrictEqual(missingPackages(partial, ["numpy", "toString", "__proto__"]), [
    "-proto-",
    "openblas",
    "tostring",
  ]);
  strictEqual(packageName("Foo._-Bar"), "foo-bar");
});
