/** The Python side of a Python slot: what runs the program of a task and looks after its files. */

import type { PythonKind } from "../python_run.ts";

/** The name of its code in tracebacks, where it is left out. */
const FILE_NAME = "<wasimoff>";

/** Of a traceback, in characters: what is believed of a slot has 16 KiB. */
const MAX_TRACEBACK_LENGTH = 4_000;

/** Functions for `PythonRunner`. */
const SOURCE = String.raw`
import io, os, pickle, stat, sys, traceback, zipfile, zlib
import __main__
from pyodide.code import eval_code
try:
    import cloudpickle
except ImportError:
    cloudpickle = None

OURS = ("${FILE_NAME}", "/lib/python312.zip/_pyodide/")

def unpack(zip, target):
    with zipfile.ZipFile(io.BytesIO(zip.to_bytes())) as archive:
        for entry in archive.infolist():
            path = os.path.join(target, entry.filename)
            if stat.S_ISLNK(entry.external_attr >> 16):
                os.makedirs(os.path.dirname(path), exist_ok=True)
                os.symlink(archive.read(entry).decode(), path)
            else:
                archive.extract(entry, target)

def prepare(env, argv):
    for item in env.to_py():
        name, _, value = item.partition("=")
        os.environ[name] = value
    sys.argv = argv.to_py()
    sys.stdout.reconfigure(line_buffering=True)

def dump(value):
    if cloudpickle is not None:
        return cloudpickle.dumps(value)
    try:
        data = pickle.dumps(value)
    except Exception:
        data = b"__main__"
    if b"__main__" not in data:
        return data
    raise RuntimeError("cannot return this result: the provider has no wheel of cloudpickle")

def status_of(code):
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xff
    print(code, file=sys.stderr)
    return 1

def traceback_of(error):
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename.startswith(OURS):
        frames = frames.tb_next
    text = "".join(traceback.format_exception(error.with_traceback(frames))).rstrip()
    return text if len(text) <= ${MAX_TRACEBACK_LENGTH} else "..." + text[-${MAX_TRACEBACK_LENGTH}:]

def call(kind, program):
    if kind == "script":
        return eval_code(program.to_bytes().decode(), vars(__main__), filename=sys.argv[0])
    function, args, kwargs = pickle.loads(program.to_bytes())
    return function(*args, **kwargs)

def run(kind, program, wanted):
    status, text, result = 0, "", None
    try:
        value = call(kind, program)
        result = dump(value) if wanted and value is not None else None
    except SystemExit as exit:
        status = status_of(exit.code)
    except MemoryError as error:
        status, text = -1, traceback_of(error)
    except BaseException as error:
        status, text = 1, traceback_of(error)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:
            pass
    return status, text, result

def pack(paths):
    missing, names, buffer = [], set(), io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as archive:
        def add(path):
            name = path.strip("/")
            if name and name not in names:
                names.add(name)
                archive.write(path, name)
        for path in paths.to_py():
            if not os.path.exists(path):
                missing.append(path)
                continue
            add(path)
            for parent, directories, files in os.walk(path):
                for below in directories + files:
                    if os.path.exists(os.path.join(parent, below)):
                        add(os.path.join(parent, below))
    return missing, buffer.getvalue()
`;

/** How a program ended. */
export interface PythonEnding {
  /** Its exit status; null when memory was exhausted. */
  readonly status: number | null;
  /** The traceback of the exception that ended it, else empty. */
  readonly traceback: string;
  /** The pickle of its result; null for None, and where nobody wants it. */
  readonly result: Uint8Array | null;
}

/** A value of Python, as Pyodide shows it to JavaScript. */
export interface PyProxy {
  get(name: string): (...args: unknown[]) => PyProxy;
  toJs(): unknown;
}

/** What we need of Pyodide. */
export interface Pyodide {
  readonly globals: PyProxy;
  runPython(code: string, options?: { globals?: PyProxy; filename?: string }): unknown;
  loadPackage(names: readonly string[], options: LoadOptions): Promise<unknown>;
  loadPackagesFromImports(code: string, options: LoadOptions): Promise<unknown>;
  setStdin(options: { read: (into: Uint8Array) => number; isatty: boolean }): void;
  setStdout(options: { write: (bytes: Uint8Array) => number; isatty: boolean }): void;
  setStderr(options: { write: (bytes: Uint8Array) => number; isatty: boolean }): void;
}

export interface LoadOptions {
  readonly messageCallback: (message: string) => void;
  readonly errorCallback: (message: string) => void;
  readonly checkIntegrity: boolean;
}

/** Runs in the same interpreter as the program, so nothing that it says is to be believed. */
export class PythonRunner {
  readonly #names: PyProxy;

  /** Imports what it needs: cloudpickle, too, where it is loaded. */
  constructor(pyodide: Pyodide) {
    this.#names = pyodide.globals.get("dict")();
    pyodide.runPython(SOURCE, { globals: this.#names, filename: FILE_NAME });
  }

  /** Puts the tree of a ZIP below a directory. Throws what Python raises. */
  unpack(zip: Uint8Array, directory: string): void {
    this.#call("unpack", zip, directory);
  }

  /** Sets environment (`KEY=value` each) and argv. */
  prepare(env: readonly string[], argv: readonly string[]): void {
    this.#call("prepare", [...env], [...argv]);
  }

  /** `wanted`: whether somebody wants the result. */
  run(kind: PythonKind, program: Uint8Array, wanted: boolean): PythonEnding {
    const [status, traceback, result] = this.#call("run", kind, program, wanted).toJs() as [
      number,
      string,
      Uint8Array | undefined,
    ];
    return { status: status < 0 ? null : status, traceback, result: result ?? null };
  }

  /** A ZIP of files and directories, and the paths that lead to nothing. */
  pack(paths: readonly string[]): { readonly missing: readonly string[]; readonly zip: Uint8Array } {
    const [missing, zip] = this.#call("pack", [...paths]).toJs() as [string[], Uint8Array];
    return { missing, zip };
  }

  #call(name: string, ...args: unknown[]): PyProxy {
    return this.#names.get(name)(...args);
  }
}
