/** The wheels of a directory: packages of Python that a provider offers. */

import { join } from "node:path";
import { WasimoffError } from "../errors.ts";
import type { SuppliedFile } from "../provider/slot_supply.ts";

/** Those of a whole Pyodide distribution are some 350. */
export const MAX_WHEELS = 4_096;
/** Wheels, and the ZIPs and archives of what is no wheel in Pyodide's distribution. */
const NAMES = /\.(whl|zip|tar)$/;

/** The files that look like packages, by name; their contents are read on demand. Rejects with `failed_precondition`. */
export async function readWheelDirectory(directory: string): Promise<SuppliedFile[]> {
  const wheels: SuppliedFile[] = [];
  try {
    for await (const { name, isDirectory } of Deno.readDir(directory)) {
      if (isDirectory || !NAMES.test(name)) continue;
      if (wheels.length === MAX_WHEELS) throw new RangeError(`more than ${MAX_WHEELS} wheels`);
      wheels.push({ ref: name, load: () => Deno.readFile(join(directory, name)) });
    }
  } catch (cause) {
    const message = `cannot read the wheels in "${directory}": ${WasimoffError.from(cause).message}`;
    throw new WasimoffError("failed_precondition", message, { cause });
  }
  return wheels.sort((a, b) => a.ref < b.ref ? -1 : 1);
}
