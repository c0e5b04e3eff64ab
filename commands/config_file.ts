/** The config file: a JSON object with the flags of each command under the command's name. */

import { WasimoffError } from "../core/errors.ts";
import { flagName, type FlagTable } from "./flags.ts";
import { didYouMean } from "./suggest.ts";
import { usageError } from "./usage_error.ts";

export type ReadVariable = (name: string) => string | undefined;

/** Where the file is when `--config` does not say: `$XDG_CONFIG_HOME` or `~/.config`; null without a home. */
export function defaultConfigPath(variable: ReadVariable): string | null {
  const home = variable("HOME");
  const base = variable("XDG_CONFIG_HOME") || (home ? `${home}/.config` : null);
  return base === null ? null : `${base}/wasimoff/config.json`;
}

/** The content of the file. `failed_precondition` when it cannot be read, or is no JSON. */
export async function loadConfig(path: string, { mustExist }: { mustExist: boolean }): Promise<unknown> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    const missing = error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory;
    if (!mustExist && missing) return {};
    throw configError(path, missing ? "there is no such file" : String(error), error);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw configError(path, error instanceof Error ? error.message : String(error), error);
  }
}

export interface CommandConfigOptions {
  readonly command: string;
  readonly table: FlagTable;
  /** Every command's name: the keys that the file may have. */
  readonly commands: readonly string[];
}

/** What the file says for one command, by flag name. Unknown keys anywhere in sight are wrong usage. */
export function commandConfig(
  document: unknown,
  { command, table, commands }: CommandConfigOptions,
): Map<string, readonly string[]> {
  const known = Object.keys(table).filter((option) => option !== "config").map(flagName);
  checkKeys(document, "the config file", commands);
  const section = document[command] ?? {};
  checkKeys(section, `"${command}" in the config file`, known);
  const place = (key: string) => `"${command}.${key}" in the config file`;
  return new Map(Object.entries(section).map(([key, value]) => [key, configTexts(value, place(key))]));
}

function checkKeys(
  value: unknown,
  place: string,
  known: readonly string[],
): asserts value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw usageError(`${place} is no JSON object: write {"provider": {"url": "http://localhost:4080"}}`);
  }
  for (const key of Object.keys(value)) {
    if (!known.includes(key)) throw usageError(`unknown key "${key}" in ${place}${didYouMean(key, known)}`);
  }
}

/** JSON values as they would be written on the command line; an object stands for KEY=VALUE pairs. */
function configTexts(value: unknown, place: string): readonly string[] {
  if (Array.isArray(value)) return value.map((item) => scalarText(item, place));
  if (typeof value === "object" && value !== null) {
    return Object.entries(value).map(([key, item]) => `${key}=${scalarText(item, place)}`);
  }
  return [scalarText(value, place)];
}

function scalarText(value: unknown, place: string): string {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") {
    return String(value);
  }
  throw usageError(`${place} has a value of the wrong type: write a text, a number, true or false`);
}

function configError(path: string, detail: string, cause: unknown): WasimoffError {
  return new WasimoffError("failed_precondition", `read config file "${path}": ${detail}`, { cause });
}
