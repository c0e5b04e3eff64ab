/** Small files that an operator names by a flag: tokens, certificates, lists. */

import { WasimoffError } from "../errors.ts";

export interface OperatorFileOptions {
  /** What the file is, for people; empty where its name says it. */
  readonly what: string;
  /** A larger one was given by mistake and is not read. */
  readonly limit?: { readonly bytes: number; readonly message: string };
}

/** The text of a file; rejects with `failed_precondition`, which names it, when it cannot be read. */
export async function readOperatorFile(path: string, { what, limit }: OperatorFileOptions): Promise<string> {
  try {
    if (limit !== undefined && (await Deno.stat(path)).size > limit.bytes) throw new Error(limit.message);
    return await Deno.readTextFile(path);
  } catch (cause) {
    const missing = cause instanceof Deno.errors.NotFound;
    const detail = missing ? "there is no such file" : WasimoffError.from(cause).message;
    const name = `${what} "${path}"`.trimStart();
    throw new WasimoffError("failed_precondition", `read ${name}: ${detail}`, { cause });
  }
}
