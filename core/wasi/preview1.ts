/** The interface as a module imports it: 46 functions under two names, bound to one guest. */

import { WasimoffError } from "../errors.ts";
import { ARGS_ENV } from "./args_env.ts";
import { CLOCK } from "./clock.ts";
import { FD_IO } from "./fd_io.ts";
import { FD_READDIR } from "./fd_readdir.ts";
import { FD_STAT } from "./fd_stat.ts";
import { FD_TABLE } from "./fd_table.ts";
import { bindFunction } from "./function_binding.ts";
import type { FunctionTable } from "./function_table.ts";
import type { Guest } from "./guest.ts";
import type { Jspi } from "./jspi.ts";
import { PATH_NAMES } from "./path_names.ts";
import { PATH_OPEN } from "./path_open.ts";
import { PATH_STAT } from "./path_stat.ts";
import { POLL } from "./poll.ts";
import { PROC } from "./proc.ts";
import { SOCK } from "./sock.ts";
import { UNSTABLE_CHANGES } from "./unstable.ts";

const PREVIEW1: FunctionTable = {
  ...ARGS_ENV,
  ...CLOCK,
  ...FD_IO,
  ...FD_READDIR,
  ...FD_STAT,
  ...FD_TABLE,
  ...PATH_NAMES,
  ...PATH_OPEN,
  ...PATH_STAT,
  ...POLL,
  ...PROC,
  ...SOCK,
};

/** The functions that can be imported, by module name and name. */
export const NAMESPACES: ReadonlyMap<string, ReadonlyMap<string, FunctionTable[string]>> = new Map([
  ["wasi_snapshot_preview1", new Map(Object.entries(PREVIEW1))],
  ["wasi_unstable", new Map(Object.entries({ ...PREVIEW1, ...UNSTABLE_CHANGES }))],
]);

/** What may have to wait. Everything else stays an ordinary call, which costs a tenth. */
const SUSPENDING: ReadonlySet<string> = new Set(["fd_read", "fd_write", "poll_oneoff"]);

/** Whether running the module may have to suspend it. */
export function mayWait(module: WebAssembly.Module): boolean {
  return WebAssembly.Module.imports(module).some(({ name }) => SUSPENDING.has(name));
}

/** What there is for imports besides the guest. */
export interface ImportParts {
  readonly jspi: Jspi | null;
  /** For the one memory that may be imported, under whatever name. */
  readonly memory: WebAssembly.Memory | null;
}

/** The import object of a module, holding only what it asks for. Rejects what nobody provides by its name. */
export function bindImports(
  module: WebAssembly.Module,
  guest: Guest,
  { jspi, memory }: ImportParts,
): WebAssembly.Imports {
  const imports = bare<WebAssembly.ModuleImports>();
  for (const { module: namespace, name, kind } of WebAssembly.Module.imports(module)) {
    const values = imports[namespace] ??= bare<WebAssembly.ImportValue>();
    if (kind === "memory" && memory !== null) {
      values[name] = memory;
      continue;
    }
    const implementation = NAMESPACES.get(namespace)?.get(name);
    if (implementation === undefined || kind !== "function") {
      throw new WasimoffError(
        "invalid_argument",
        `run module: import "${namespace}.${name}" is not provided`,
      );
    }
    const bound = bindFunction(implementation, guest, jspi !== null);
    values[name] = jspi !== null && SUSPENDING.has(name) ? new jspi.Suspending(bound) : bound;
  }
  return imports;
}

/** Without a prototype, as a module may import its memory from "__proto__". */
function bare<Value>(): Record<string, Value> {
  return Object.create(null);
}
