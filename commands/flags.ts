/** The flag table of a command: one description that feeds parsing, help, environment, config and types. */

import type { FlagKind } from "./flag_kinds.ts";
import { usageError } from "./usage_error.ts";
import { WasimoffError } from "../core/errors.ts";

export interface Flag<T> {
  readonly kind: FlagKind<T>;
  /** One line for help. */
  readonly help: string;
  readonly default: T;
  /** One letter, used with a single dash. */
  readonly short?: string;
  /** How a value is written, where the kind's own placeholder says too little. */
  readonly placeholder?: string;
  /** Variables read after `WASIMOFF_<COMMAND>_<FLAG>` and before the config file. */
  readonly environment?: readonly string[];
  /** Variables of the existing broker: they win over nothing but the default. */
  readonly legacyEnvironment?: readonly string[];
}

/** Flags by option name (`taskMemory` is `--task-memory`). */
export type FlagTable = Readonly<Record<string, Flag<unknown>>>;

/** The options that a table yields. */
export type OptionsOf<T extends FlagTable> = {
  readonly [K in keyof T]: T[K] extends Flag<infer V> ? V : never;
};

/** Where a value was found. */
export type ValueSource = "flag" | "environment" | "config" | "default";

type FlagDetails<D> = Omit<Flag<unknown>, "kind" | "help" | "default"> & { readonly default: D };

/** One entry of a table. */
export function flag<T, const D>(kind: FlagKind<T>, help: string, details: FlagDetails<D>): Flag<T | D> {
  const format = (value: T | D) => value === null ? "" : kind.format(value as T);
  return { ...details, help, kind: { ...kind, format } };
}

/** `taskMemory` -> `task-memory`, as it is written after `--` and as a key of the config file. */
export function flagName(option: string): string {
  return option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** `provider`, `taskMemory` -> `WASIMOFF_PROVIDER_TASK_MEMORY`. */
export function flagVariable(command: string, option: string): string {
  return `WASIMOFF_${command}_${flagName(option)}`.toUpperCase().replaceAll("-", "_");
}

/** What was written where. Values by flag name; of variables only those asked for are read. */
export interface FlagSources {
  readonly command: string;
  readonly given: ReadonlyMap<string, readonly string[]>;
  readonly variable: (name: string) => string | undefined;
  readonly config: ReadonlyMap<string, readonly string[]>;
}

export interface Resolved<T extends FlagTable> {
  readonly options: OptionsOf<T>;
  readonly sources: Readonly<Record<keyof T, ValueSource>>;
}

/** Settles every flag: flag, then environment, then config file, then the existing broker's names, then default. */
export function resolveFlags<T extends FlagTable>(table: T, from: FlagSources): Resolved<T> {
  const options: Record<string, unknown> = {};
  const sources: Record<string, ValueSource> = {};
  for (const [option, definition] of Object.entries(table)) {
    const found = findTexts(option, definition, from);
    sources[option] = found?.source ?? "default";
    options[option] = found === null ? definition.default : parseTexts(definition, found);
  }
  return { options: options as OptionsOf<T>, sources: sources as Record<keyof T, ValueSource> };
}

interface Found {
  readonly texts: readonly string[];
  readonly source: ValueSource;
  /** The place, for the error message. */
  readonly place: string;
}

function findTexts(option: string, definition: Flag<unknown>, from: FlagSources): Found | null {
  const name = flagName(option);
  const given = from.given.get(name);
  if (given !== undefined) return { texts: given, source: "flag", place: `--${name}` };
  const own = [flagVariable(from.command, option), ...(definition.environment ?? [])];
  const variable = findVariable(own, definition, from);
  if (variable !== null) return { ...variable, source: "environment" };
  const configured = from.config.get(name);
  if (configured !== undefined) {
    return { texts: configured, source: "config", place: `"${from.command}.${name}" in the config file` };
  }
  const legacy = findVariable(definition.legacyEnvironment ?? [], definition, from);
  return legacy === null ? null : { ...legacy, source: "environment" };
}

/** An empty variable counts as unset. A flag that may be repeated takes one value a line. */
function findVariable(names: readonly string[], { kind }: Flag<unknown>, from: FlagSources) {
  for (const name of names) {
    const value = from.variable(name);
    if (value === undefined || value === "") continue;
    return { texts: kind.values === "many" ? value.split("\n").filter(Boolean) : [value], place: name };
  }
  return null;
}

function parseTexts({ kind }: Flag<unknown>, { texts, place }: Found): unknown {
  try {
    return kind.parse(texts);
  } catch (error) {
    throw error instanceof WasimoffError ? usageError(`${place}: ${error.message}`, error) : error;
  }
}
