/** Results on standard output. */

import { WasimoffError } from "../core/errors.ts";

/** Anything with the write of `Deno.Writer`: may take fewer bytes than it was given. */
export interface RawWriter {
  write(bytes: Uint8Array): Promise<number>;
}

/** Writes all bytes; `canceled` when the reader has gone, `unknown` when it fails for another reason. */
export async function writeAll(writer: RawWriter, bytes: Uint8Array): Promise<void> {
  try {
    for (let written = 0; written < bytes.length;) {
      written += await writer.write(bytes.subarray(written));
    }
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) {
      throw new WasimoffError("canceled", "the reader of the output has gone", { cause: error });
    }
    const { message } = WasimoffError.from(error);
    throw new WasimoffError("unknown", `write to the output: ${message}`, { cause: error });
  }
}

/** Prints a text as a line. */
export async function printLine(text: string): Promise<void> {
  await writeAll(Deno.stdout, new TextEncoder().encode(`${text}\n`));
}
