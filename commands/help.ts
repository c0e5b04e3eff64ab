/** What `--help` prints: usage, examples, and each flag with its environment variable, on one screen. */

import { type Flag, flagName, type FlagTable, flagVariable } from "./flags.ts";
import { usageError } from "./usage_error.ts";

export interface HelpSpec {
  readonly name: string;
  /** What the command does, one line of at most 60 characters. */
  readonly summary: string;
  /** Operands as shown behind the flags. */
  readonly operands: { readonly usage: string };
  /** Whole command lines that work as written. */
  readonly examples: readonly string[];
  readonly flags: FlagTable;
  /** Flags that are shown only by `--help TOPIC`, so that the rest fits a screen. */
  readonly topics?: Readonly<Record<string, FlagTable>>;
  /** Lines at the end. */
  readonly notes?: readonly string[];
}

/** The help text of a command, or of one of its topics, without a last newline. Throws for a topic that is none. */
export function renderHelp(spec: HelpSpec, topic = ""): string {
  const topics = spec.topics ?? {};
  // Of a command without topics the word is an operand, or nonsense: what was asked for is help.
  if (topic !== "" && Object.keys(topics).length > 0) {
    if (!Object.hasOwn(topics, topic)) throw usageError(`no help about "${topic}": ${topicList(topics)}`);
    return flagLines(spec, topics[topic]!).join("\n");
  }
  const hidden = new Set(Object.values(topics).flatMap((table) => Object.keys(table)));
  const shown = Object.entries(spec.flags).filter(([option]) => !hidden.has(option));
  return [
    `Usage: wasimoff ${spec.name} [FLAGS] ${spec.operands.usage}`.trimEnd(),
    `${spec.summary[0]!.toUpperCase()}${spec.summary.slice(1)}.`,
    "",
    ...spec.examples.map((example) => `  ${example}`),
    "",
    ...flagLines(spec, Object.fromEntries(shown)),
    ...(hidden.size === 0 ? [] : [`More flags: ${topicList(topics)}`]),
    ...(spec.notes ?? []),
  ].join("\n");
}

function topicList(topics: Readonly<Record<string, FlagTable>>): string {
  return `--help ${Object.keys(topics).join(", --help ")}`;
}

function flagLines(spec: HelpSpec, flags: FlagTable): string[] {
  const prefix = flagVariable(spec.name, "");
  const rows = Object.entries(flags).map(([option, definition]) => ({
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
    heading,
    ...rows.map(({ syntax, help, variable }) =>
      `  ${syntax.padEnd(flagWidth)}${help.padEnd(helpWidth)}${variable}`
    ),
  ];
}

function syntax(option: string, { short, kind, placeholder }: Flag<unknown>): string {
  const value = kind.values === "none" ? "" : ` ${placeholder ?? kind.placeholder}`;
  return `${short === undefined ? "" : `-${short}, `}--${flagName(option)}${value}`;
}

function shownDefault(definition: Flag<unknown>): string {
  const shown = definition.kind.format(definition.default);
  return shown === "" ? "" : ` [${shown}]`;
}
