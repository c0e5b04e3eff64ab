/** The guest's environment, from `--env-file` and `-e`. */

import { WasimoffError } from "../core/errors.ts";
import type { ReadVariable } from "./config_file.ts";
import { usageError } from "./usage_error.ts";

/**
 * `KEY=value` each, a later one in place of an earlier one with the same key, those of the file first. A key
 * alone takes our own value, and is left out when we have none, as in docker.
 */
export function guestEnvironment(
  fileLines: readonly string[],
  flags: readonly string[],
  variable: ReadVariable,
): readonly string[] {
  const values = new Map<string, string>();
  for (const entry of [...fileLines, ...flags]) {
    const at = entry.indexOf("=");
    const key = at < 0 ? entry : entry.slice(0, at);
    if (key === "" || entry.includes("\0")) throw usageError(`"${entry}" is no variable: write KEY=VALUE`);
    const value = at < 0 ? variable(key) : entry.slice(at + 1);
    values.delete(key);
    if (value !== undefined) values.set(key, value);
  }
  return [...values].map(([key, value]) => `${key}=${value}`);
}

/** The entries of an env file: one a line, as written; blank lines and lines that start with `#` are skipped. */
export function parseEnvFile(text: string, path: string): readonly string[] {
  const lines = text.split(/\r?\n/).map((line) => line.trimStart());
  lines.forEach((line, index) => {
    if (/^(export\s|=)/.test(line)) {
      throw usageError(`env file "${path}", line ${index + 1}: "${line}" is no variable: write KEY=VALUE`);
    }
  });
  return lines.filter((line) => line !== "" && !line.startsWith("#"));
}

/** Reads an env file; `not_found` when there is none. */
export async function readEnvFile(path: string): Promise<readonly string[]> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    const missing = error instanceof Deno.errors.NotFound;
    const detail = missing ? "there is no such file" : WasimoffError.from(error).message;
    throw new WasimoffError(missing ? "not_found" : "unknown", `read env file "${path}": ${detail}`, {
      cause: error,
    });
  }
  return parseEnvFile(text, path);
}
