/** How Python programs are run, as it travels. */

import type { MessageInitShape } from "@bufbuild/protobuf";
import { WasimoffError } from "../errors.ts";
import type { PythonKind, PythonRun } from "../python_run.ts";
import type { Task_Pyodide_Params } from "./gen/wasimoff/v1/messages_pb.ts";
import { type Python, Python_Kind, type PythonSchema } from "./gen/wasimoff/v2/wasimoff_pb.ts";

/** Names of packages that a task may ask for. */
const MAX_PACKAGES = 256;

const KINDS: Readonly<Record<PythonKind, Python_Kind>> = {
  script: Python_Kind.SCRIPT,
  pickle: Python_Kind.PICKLE,
};

export function encodePython({ kind, packages }: PythonRun): MessageInitShape<typeof PythonSchema> {
  return { kind: KINDS[kind], packages: [...packages] };
}

/** Throws `invalid_argument` for a kind that nobody knows, and for too many packages. */
export function decodePython({ kind, packages }: Python): PythonRun {
  const known = (Object.keys(KINDS) as PythonKind[]).find((name) => KINDS[name] === kind);
  if (known === undefined) {
    throw new WasimoffError("invalid_argument", "python program is neither a script nor a pickle");
  }
  checkPackages(packages);
  return { kind: known, packages };
}

/** Throws `invalid_argument` for too many. */
export function checkPackages(packages: readonly string[]): void {
  if (packages.length > MAX_PACKAGES) {
    throw new WasimoffError("invalid_argument", `task asks for more than ${MAX_PACKAGES} packages`);
  }
}

export interface PythonProgram {
  readonly kind: PythonKind;
  readonly bytes: Uint8Array;
}

/** The program of a task of v1; throws `invalid_argument` when there is none. */
export function programOf({ run }: Pick<Task_Pyodide_Params, "run">): PythonProgram {
  switch (run.case) {
    case "script":
      return { kind: "script", bytes: new TextEncoder().encode(run.value) };
    case "pickle":
      return { kind: "pickle", bytes: run.value };
    case undefined:
      throw new WasimoffError("invalid_argument", "task has neither a script nor a pickle");
    default:
      return run satisfies never;
  }
}
