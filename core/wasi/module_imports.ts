/** Which imports a module may have: the functions of WASI preview 1, each with its own type. */

import { WasimoffError } from "../errors.ts";
import { type DeclaredMemory, readMemoryType, severalMemories } from "./memory_limits.ts";
import { damaged, type ModuleReader } from "./module_reader.ts";
import type { Signature } from "./module_types.ts";

/** Signature by name, from the witx files of preview 1 (and of its forerunner for `proc_raise`). */
export const WASI_FUNCTIONS: Readonly<Record<string, string>> = {
  args_get: "ii:i",
  args_sizes_get: "ii:i",
  clock_res_get: "ii:i",
  clock_time_get: "iIi:i",
  environ_get: "ii:i",
  environ_sizes_get: "ii:i",
  fd_advise: "iIIi:i",
  fd_allocate: "iII:i",
  fd_close: "i:i",
  fd_datasync: "i:i",
  fd_fdstat_get: "ii:i",
  fd_fdstat_set_flags: "ii:i",
  fd_fdstat_set_rights: "iII:i",
  fd_filestat_get: "ii:i",
  fd_filestat_set_size: "iI:i",
  fd_filestat_set_times: "iIIi:i",
  fd_pread: "iiiIi:i",
  fd_prestat_dir_name: "iii:i",
  fd_prestat_get: "ii:i",
  fd_pwrite: "iiiIi:i",
  fd_read: "iiii:i",
  fd_readdir: "iiiIi:i",
  fd_renumber: "ii:i",
  fd_seek: "iIii:i",
  fd_sync: "i:i",
  fd_tell: "ii:i",
  fd_write: "iiii:i",
  path_create_directory: "iii:i",
  path_filestat_get: "iiiii:i",
  path_filestat_set_times: "iiiiIIi:i",
  path_link: "iiiiiii:i",
  path_open: "iiiiiIIii:i",
  path_readlink: "iiiiii:i",
  path_remove_directory: "iii:i",
  path_rename: "iiiiii:i",
  path_symlink: "iiiii:i",
  path_unlink_file: "iii:i",
  poll_oneoff: "iiii:i",
  proc_exit: "i:",
  proc_raise: "i:i",
  random_get: "ii:i",
  sched_yield: ":i",
  sock_accept: "iii:i",
  sock_recv: "iiiiii:i",
  sock_send: "iiiii:i",
  sock_shutdown: "ii:i",
};

const WASI_MODULES: ReadonlySet<string> = new Set(["wasi_snapshot_preview1", "wasi_unstable"]);

const FUNCTION_KIND = 0;
const MEMORY_KIND = 2;

/** What to do about the imports people meet most, by a pattern of `module.name`. */
const HINTS: readonly (readonly [RegExp, string])[] = [
  [/^wasi\.thread-spawn$/, "threads are not supported: build for wasm32-wasip1 without threads"],
  [/^env\.abort$/, "for AssemblyScript, extend the configuration of @assemblyscript/wasi-shim"],
  [
    /^env\./,
    "link every function into the module, and build for WASI, for example with --target wasm32-wasip1",
  ],
  [/^(gojs|go)\./, "build with GOOS=wasip1 rather than GOOS=js"],
  [/^(wbg|__wbindgen.*)\./, "wasm-bindgen needs a JavaScript host: build with --target wasm32-wasip1"],
  [/^wasi:/, "it was built for WASI preview 2: build with --target wasm32-wasip1"],
  [/^wasi_snapshot_preview1\.sock_/, "sockets beyond preview 1 are not supported"],
];
const DEFAULT_HINT = "only functions of WASI preview 1 are provided: build with --target wasm32-wasip1";

export interface Imports {
  /** The type index of each imported function. */
  readonly functions: readonly number[];
  /** To be brought from outside, under whatever name. */
  readonly memory: DeclaredMemory | null;
}

/** Checks the import section: functions of WASI, and one memory under any name. */
export function readImports(reader: ModuleReader, types: readonly Signature[]): Imports {
  const functions: number[] = [];
  let memory: DeclaredMemory | null = null;
  for (let left = reader.count(); left > 0; left--) {
    const module = reader.name();
    const name = reader.name();
    const kind = reader.byte();
    if (kind === MEMORY_KIND) {
      if (memory !== null) throw severalMemories(2);
      memory = readMemoryType(reader);
      continue;
    }
    if (kind !== FUNCTION_KIND || !WASI_MODULES.has(module) || !Object.hasOwn(WASI_FUNCTIONS, name)) {
      const hint = HINTS.find(([pattern]) => pattern.test(`${module}.${name}`))?.[1] ?? DEFAULT_HINT;
      throw refused(module, name, "something unknown", hint);
    }
    const type = reader.u32();
    if (type >= types.length) throw damaged(`type ${type} does not exist`, reader.offset);
    if (types[type] !== WASI_FUNCTIONS[name]) {
      throw refused(module, name, "a function with a wrong type", "build it with a current WASI toolchain");
    }
    functions.push(type);
  }
  return { functions, memory };
}

function refused(module: string, name: string, what: string, hint: string): WasimoffError {
  const printable = `${module}.${name}`.replace(/[^\x20-\x7e]|"/g, "?");
  return new WasimoffError(
    "invalid_argument",
    `cannot run module: it imports ${what}, "${printable}": ${hint}`,
  );
}
