/** The inside of a Python slot: an interpreter from bytes, one task, and then its end. */

import { WasimoffError } from "../errors.ts";
import { BlockingPipe, type PipeEnds } from "./blocking_pipe.ts";
import { PYODIDE_FILES, PythonInterpreter } from "./python_interpreter.ts";
import type { PyodideLock } from "./python_lock.ts";
import { PythonRunner } from "./python_runner.ts";
import { encodeDone } from "./slot_headers.ts";
import { encodeFrame, FRAME } from "./slot_protocol.ts";
import { runPythonTask } from "./python_task.ts";

/**
 * Gets the files of the interpreter and starts it in `scope`, the global one; then runs one task. Resolves when the
 * provider is gone: whatever the program has left behind must not see another task.
 */
export async function servePythonSlot(ends: PipeEnds, scope: object): Promise<void> {
  const pipe = new BlockingPipe(ends);
  const next = () => {
    const bytes = pipe.file();
    if (bytes === null) throw new WasimoffError("internal", "cannot start python: a file is missing");
    return bytes;
  };
  const files = new Map(PYODIDE_FILES.map((name) => [name as string, next()]));
  const lock = JSON.parse(new TextDecoder().decode(next())) as PyodideLock;
  // Before the task the provider sends unasked for what every interpreter loads.
  let wheel = (_name: string): Uint8Array<ArrayBuffer> | null => next();
  const interpreter = await PythonInterpreter.start(scope, { files, lock, wheel: (name) => wheel(name) });
  const runner = new PythonRunner(interpreter.pyodide);
  wheel = (name) => pipe.need(name);
  ends.write(encodeFrame(FRAME.READY));
  const header = pipe.task();
  const done = await runPythonTask(header, {
    ...{ pipe, interpreter, runner },
    started: () => wheel = () => null,
  });
  ends.write(encodeDone(done));
  pipe.drain();
}
