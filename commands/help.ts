/** What `--help` prints: usage, examples, and each flag with its environment variable, on one screen. */

import { type Flag, flagName, type FlagTable, flagVariable } from "./flags.ts";

export interface HelpSpec {
  readonly name: string;
  /** What the command does, one line of at most 60 characters. */
  readonly summary: string;
  /** Operands as shown behind the flags. */
  readonly operands: { readonly usage: string };
  /** Whole command lines that work as written. */
  readonly examples: readonly string[];
  readonly flags: FlagTable;
  /** Lines at the end. */
  readonly notes?: readonly string[];
}

/** The help text of a command, without a last newline. */
export function renderHelp(spec: HelpSpec): string {
  const prefix = flagVariable(spec.name, "");
  const rows = Object.entries(spec.flags).map(([option, definition]) => ({
    syntax: syntax(option, definition),
    help: definition.help + shownDefault(definition),
    variable: flagVariable(spec.name, option).slice(prefix.length),
  }));
  const flagWidth = Math.max(...rows.map((row) => row.syntax.length)) + 2;
  const helpWidth = Math.max(...rows.map((row) => row.help.length)) + 2;
  const environment = `Environment: ${prefix}...`;
  // The dots stand over the column of the variables.
  const heading = "Flags".padEnd(2 + flagWidth + helpWidth + 3 - environment.length) + environment;
  return [
    `Usage: wasimoff ${spec.name} [FLAGS] ${spec.operands.usage}`.trimEnd(),
    `${spec.summary[0]!.toUpperCase()}${spec.summary.slice(1)}.`,
    "",
    ...spec.examples.map((example) => `  ${example}`),
    "",
    heading,
    ...rows.map(({ syntax, help, variable }) =>
      `  ${syntax.padEnd(flagWidth)}${help.padEnd(helpWidth)}${variable}`
    ),
    ...(spec.notes ?? []),
  ].join("\n");
}

function syntax(option: string, { short, kind, placeholder }: Flag<unknown>): string {
  const value = kind.values === "none" ? "" : ` ${placeholder ?? kind.placeholder}`;
  return `${short === undefined ? "" : `-${short}, `}--${flagName(option)}${value}`;
}

function shownDefault(definition: Flag<unknown>): string {
  const shown = definition.kind.format(definition.default);
  return shown === "" ? "" : ` [${shown}]`;
}
