/** Directories of wheels, made for a test. */

import { zipFiles } from "./zip_files.ts";

/** What results are pickled with: enough of cloudpickle for what plain pickle can hold. */
export const PLAIN_CLOUDPICKLE = "from pickle import dumps, loads\n__version__ = '0.0'\n";

/** Wheels of one module each, by the name of the package; removed with the test. */
export async function wheelDirectory(
  modules: Readonly<Record<string, string>>,
): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await Deno.makeTempDir({ prefix: "wasimoff-wheels-" });
  for (const [name, code] of Object.entries(modules)) {
    const info = `${name}-1.0.dist-info`;
    const wheel = await zipFiles({
      [`${name}.py`]: code,
      [`${info}/METADATA`]: `Metadata-Version: 2.1\nName: ${name}\nVersion: 1.0\n`,
      [`${info}/WHEEL`]: "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
      [`${info}/RECORD`]: "",
    });
    await Deno.writeFile(`${path}/${name}-1.0-py3-none-any.whl`, wheel);
  }
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}
