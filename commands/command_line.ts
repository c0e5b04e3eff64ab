/** From words, environment and config file to the typed options of a command. */

import { type OperandRule, readArguments } from "./arguments.ts";
import { commandConfig, defaultConfigPath, loadConfig, type ReadVariable } from "./config_file.ts";
import { type FlagTable, flagVariable, type Resolved, resolveFlags } from "./flags.ts";

/** What has to be known about a command to read its command line. */
export interface CommandShape<T extends FlagTable> {
  readonly name: string;
  readonly flags: T;
  readonly operands: OperandRule;
}

export interface CommandLine<T extends FlagTable> extends Resolved<T> {
  readonly operands: readonly string[];
  /** What followed `--`, for commands that run a guest. */
  readonly guestArguments: readonly string[];
}

export interface Surroundings {
  readonly variable: ReadVariable;
  /** Every command's name. */
  readonly commands: readonly string[];
}

/** What somebody wants help about; empty for the command as a whole. */
export interface HelpWish {
  readonly help: string;
}

/** Reads it all, or that help was asked for. Anything unknown is wrong usage and never ignored. */
export async function readCommandLine<T extends FlagTable>(
  { name, flags, operands }: CommandShape<T>,
  words: readonly string[],
  { variable, commands }: Surroundings,
): Promise<CommandLine<T> | HelpWish> {
  const given = readArguments(words, flags, operands);
  if (given.help !== null) return { help: given.help };
  const named = given.flags.get("config")?.at(-1) ?? (variable(flagVariable(name, "config")) || undefined);
  const path = named ?? defaultConfigPath(variable);
  const document = path === null ? {} : await loadConfig(path, { mustExist: named !== undefined });
  const config = commandConfig(document, { command: name, table: flags, commands });
  const resolved = resolveFlags(flags, { command: name, given: given.flags, variable, config });
  return { ...resolved, operands: given.operands, guestArguments: given.guestArguments };
}
