/** One Python task inside a slot: gets its files and packages, runs the program, says how it ended. */

import { WasimoffError } from "../errors.ts";
import { exited, failed, type Outcome } from "../outcome.ts";
import { MAX_PYTHON_RESULT_BYTES } from "../python_run.ts";
import type { BlockingPipe } from "./blocking_pipe.ts";
import type { PythonInterpreter } from "./python_interpreter.ts";
import type { PythonEnding, PythonRunner } from "./python_runner.ts";
import type { DoneHeader, RunHeader } from "./slot_headers.ts";
import { broken, FRAME, type FrameType } from "./slot_protocol.ts";

/** Exit status of `python` after an exception. */
const EXCEPTION_STATUS = 1;

export interface PythonTaskParts {
  readonly pipe: BlockingPipe;
  readonly interpreter: PythonInterpreter;
  readonly runner: PythonRunner;
  /** Called when the time of the program begins: nothing is loaded any more. */
  readonly started: () => void;
}

/** Runs the task of a slot; rejects for a fault of the slot itself. */
export async function runPythonTask(header: RunHeader, parts: PythonTaskParts): Promise<DoneHeader> {
  const nothing = { durationMs: 0, memoryBytes: 0, rssBytes: 0, keptBytes: 0 };
  const { interpreter, pipe, runner, started } = parts;
  const { memoryBytes } = header.limits;
  if (interpreter.memoryBytes > memoryBytes) {
    const message = `python needs more memory than the task may have: ${interpreter.memoryBytes} bytes`;
    return { ...nothing, outcome: failed("rejected", "provider", message) };
  }
  interpreter.limitMemory(memoryBytes);
  let program: Uint8Array;
  try {
    program = await prepare(header, parts);
  } catch (error) {
    if (error instanceof WasimoffError && error.code === "internal") throw error;
    const message = `cannot prepare python: ${WasimoffError.from(error).message}`;
    return { ...nothing, outcome: failed("rejected", "provider", message) };
  }
  connectStreams(parts);
  runner.prepare(header.env, header.args);
  started();
  pipe.send(FRAME.STARTED, new Uint8Array());
  const startedMs = performance.now();
  const ending = runGuarded(() => runner.run(header.python!.kind, program, header.result));
  const durationMs = performance.now() - startedMs;
  const outcome = typeof ending === "string"
    ? failed("trap", "guest", ending)
    : returnAll(header, parts, ending);
  return { ...nothing, outcome, durationMs, memoryBytes: Math.min(interpreter.memoryBytes, memoryBytes) };
}

/** Loads all that the program needs, and the program. */
async function prepare(header: RunHeader, parts: PythonTaskParts): Promise<Uint8Array> {
  const { interpreter, pipe, runner } = parts;
  const { kind, packages } = header.python!;
  const unfit = header.env.find((item) => !item.includes("="));
  if (unfit !== undefined) throw failure(`environment "${unfit}" has no "="`);
  const program = load(pipe, header.module);
  const missing = await interpreter.load(packages);
  if (missing.length > 0) {
    throw failure(`package not found: ${missing.map((name) => `"${name}"`).join(", ")}`);
  }
  if (kind === "script") await interpreter.loadImports(new TextDecoder().decode(program));
  for (const { guest, zip } of header.preopens) {
    if (zip !== null) runner.unpack(load(pipe, zip), guest);
  }
  return program;
}

/** What the provider cannot have ends the task whatever is said here: the provider knows why. */
function load(pipe: BlockingPipe, ref: string): Uint8Array {
  const bytes = pipe.need(ref);
  if (bytes === null) throw failure(`cannot load "${ref}"`);
  return bytes;
}

function connectStreams({ interpreter: { pyodide }, pipe }: PythonTaskParts): void {
  const writer = (type: FrameType) => ({
    write(bytes: Uint8Array) {
      pipe.send(type, bytes);
      return bytes.length;
    },
    isatty: false,
  });
  pyodide.setStdout(writer(FRAME.STDOUT));
  pyodide.setStderr(writer(FRAME.STDERR));
  pyodide.setStdin({
    read(into) {
      const bytes = pipe.read(into.length);
      into.set(bytes);
      return bytes.length;
    },
    isatty: false,
  });
}

/** The ending of a program; a text when the interpreter itself broke down under it, as by endless recursion. */
function runGuarded(run: () => PythonEnding): PythonEnding | string {
  try {
    return run();
  } catch (error) {
    if (error instanceof WasimoffError) throw error; // the pipe has ended
    return `python broke down: ${WasimoffError.from(error).message}`;
  }
}

/** Sends what the program leaves behind; returns how the task ends. */
function returnAll(header: RunHeader, parts: PythonTaskParts, ending: PythonEnding): Outcome {
  const { status, traceback, result } = ending;
  if (status === null) return failed("memory", "guest", traceback);
  if (traceback !== "") return failed("trap", "guest", traceback, EXCEPTION_STATUS);
  if (header.artifacts.length > 0) parts.pipe.send(FRAME.ENDED, new Uint8Array());
  if (result !== null) {
    if (!(result instanceof Uint8Array)) throw broken("a result that is no pickle");
    if (result.length > MAX_PYTHON_RESULT_BYTES) {
      return failed("limit", "provider", `result has more than ${MAX_PYTHON_RESULT_BYTES} bytes as a pickle`);
    }
    parts.pipe.send(FRAME.RESULT, result);
  }
  const problem = header.artifacts.length > 0 ? sendArtifacts(header, parts) : null;
  return status === 0 && problem !== null ? problem : exited(status);
}

/** Why the artifacts are not complete; null when they are. */
function sendArtifacts({ artifacts, limits }: RunHeader, { pipe, runner }: PythonTaskParts): Outcome | null {
  let packed: ReturnType<PythonRunner["pack"]>;
  try {
    packed = runner.pack(artifacts);
  } catch (error) {
    return failed("rejected", "provider", `cannot pack artifacts: ${WasimoffError.from(error).message}`);
  }
  const { missing, zip } = packed;
  if (zip.length > limits.artifactBytes) {
    return failed("limit", "provider", `artifacts have more than ${limits.artifactBytes} bytes`);
  }
  if (missing.length < artifacts.length) pipe.send(FRAME.ARTIFACTS, zip);
  if (missing.length === 0) return null;
  const names = missing.map((path) => JSON.stringify(path)).join(", ");
  return failed("rejected", "provider", `artifact not found: ${names}`);
}

function failure(message: string): WasimoffError {
  return new WasimoffError("failed_precondition", message);
}
