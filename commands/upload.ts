/** `wasimoff upload`: stores a file at the broker and prints its reference. */

import { isFileRef } from "../core/storage/file_store.ts";
import { WasimoffError } from "../core/errors.ts";
import { type Call, defineCommand } from "./command.ts";
import { BROKER_FLAGS, BROKER_NOTE, COMMON_FLAGS } from "./common_flags.ts";
import { text } from "./flag_kinds.ts";
import { flag } from "./flags.ts";
import { openBroker } from "./open_broker.ts";
import { Progress } from "./progress.ts";
import { formatSize, roundSize } from "./size.ts";
import { writeStderr } from "./stderr.ts";
import { printLine } from "./stdout.ts";
import { usageError } from "./usage_error.ts";

const FLAGS = {
  name: flag(text, "name at the broker [the file's own]", { placeholder: "N", default: null }),
  ...BROKER_FLAGS,
  ...COMMON_FLAGS,
};

export const command = defineCommand({
  name: "upload",
  summary: "store a file at the broker and print its reference",
  operands: { usage: "FILE", min: 1, max: 1 },
  examples: ["wasimoff upload task.wasm", "wasimoff upload build/out.wasm --name search"],
  flags: FLAGS,
  notes: [BROKER_NOTE],
  run: upload,
});

async function upload({ options, sources, operands, log, signal }: Call<typeof FLAGS>): Promise<number> {
  const path = operands[0]!;
  const name = options.name ?? path.split("/").at(-1)!;
  if (name === "") throw usageError(`"${path}" has no base name: give --name`);
  const broker = await openBroker({ options, sources }, log);
  const { file, size } = await openFile(path);
  using _open = file;
  const progress = new Progress({
    isTerminal: Deno.stderr.isTerminal() && !options.quiet,
    write: (text) => options.quiet || writeStderr(text),
    now: () => performance.now(),
  });
  try {
    const body = file.readable.pipeThrough(counted((sent) => {
      progress.update(() => `sent ${roundSize(sent)} of ${roundSize(size)}`);
    }));
    const query = new URLSearchParams({ name });
    const response = await broker.request("POST", `api/storage/upload?${query}`, { body, signal });
    const ref = (await response.text()).trim();
    if (!isFileRef(ref)) {
      throw new WasimoffError("internal", "the broker answered the upload without a reference");
    }
    progress.close();
    log.debug(`stored "${name}"`, { ref, size: formatSize(size) });
    await printLine(ref);
    return 0;
  } finally {
    progress.close();
  }
}

async function openFile(path: string): Promise<{ file: Deno.FsFile; size: number }> {
  try {
    const { isDirectory, size } = await Deno.stat(path);
    if (isDirectory) throw usageError(`"${path}" is a directory: give a file`);
    return { file: await Deno.open(path), size };
  } catch (error) {
    if (error instanceof WasimoffError) throw error;
    const missing = error instanceof Deno.errors.NotFound;
    const detail = missing ? "there is no such file" : WasimoffError.from(error).message;
    throw new WasimoffError(missing ? "not_found" : "unknown", `read "${path}": ${detail}`, { cause: error });
  }
}

function counted(seen: (total: number) => void): TransformStream<Uint8Array, Uint8Array> {
  let total = 0;
  return new TransformStream({
    transform(chunk, controller) {
      total += chunk.length;
      seen(total);
      controller.enqueue(chunk);
    },
  });
}
