/** MODULE on the command line: a file, `-`, a name stored at the broker, or a reference. */

import { WasimoffError } from "../core/errors.ts";
import { failed, type Outcome, STATUS_INVALID_MODULE, STATUS_NOT_FOUND } from "../core/outcome.ts";
import { MAX_FILE_BYTES } from "../core/provider/slot_intake.ts";
import { isFileRef } from "../core/storage/file_store.ts";
import { checkModuleKind } from "../core/wasi/module_kind.ts";
import { formatSize } from "./size.ts";

export interface ModuleOperand {
  /** The module itself, or the name or reference under which the broker has it. */
  readonly module: { readonly bytes: Uint8Array } | { readonly stored: string };
  /** The guest's argv[0]. */
  readonly name: string;
}

export interface ModuleOperandOptions {
  /** For `-`. */
  readonly stdin: () => ReadableStream<Uint8Array>;
  /** Whether there is a broker that may know the name. */
  readonly broker: boolean;
}

/** Reads the module, or leaves it to the broker; an outcome when it can never run. */
export async function readModuleOperand(
  operand: string,
  { stdin, broker }: ModuleOperandOptions,
): Promise<ModuleOperand | Outcome> {
  try {
    if (operand === "-") return checked(await readStream(stdin()), "-");
    if (isFileRef(operand)) return stored(operand, broker);
    const { isDirectory, size } = await Deno.stat(operand);
    if (isDirectory) return invalid(`cannot run "${operand}": it is a directory`);
    if (size > MAX_FILE_BYTES) return invalid(`cannot run "${operand}": ${tooLarge()}`);
    return checked(await Deno.readFile(operand), operand);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) return unreadable(operand, error);
    // What looks like a path was meant as one; a plain name may be known to the broker.
    return operand.includes("/") ? absent(`there is no file "${operand}"`) : stored(operand, broker);
  }
}

function checked(bytes: Uint8Array, operand: string): ModuleOperand | Outcome {
  try {
    checkModuleKind(bytes);
  } catch (error) {
    return invalid(`"${operand}": ${WasimoffError.from(error).message}`);
  }
  return { module: { bytes }, name: operand.split("/").at(-1)! };
}

/** All of it; throws `out_of_range` when that is more than a module may have. */
export async function readStream(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.length;
    if (size > MAX_FILE_BYTES) throw new WasimoffError("out_of_range", tooLarge());
    chunks.push(new Uint8Array(chunk));
  }
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}

function tooLarge(): string {
  return `it has more than ${formatSize(MAX_FILE_BYTES)}`;
}

function invalid(message: string): Outcome {
  return failed("rejected", "client", message, STATUS_INVALID_MODULE);
}

function stored(operand: string, broker: boolean): ModuleOperand | Outcome {
  if (broker) return { module: { stored: operand }, name: operand };
  return absent(`there is no file "${operand}", and no broker to ask: see "wasimoff submit"`);
}

function absent(message: string): Outcome {
  return failed("rejected", "client", message, STATUS_NOT_FOUND);
}

function unreadable(operand: string, error: unknown): Outcome {
  return invalid(`cannot read module "${operand}": ${WasimoffError.from(error).message}`);
}
