/** Splits the words after a command's name into flags, operands and the guest's own arguments. */

import { parseArgs } from "node:util";
import { flagName, type FlagTable } from "./flags.ts";
import { didYouMean } from "./suggest.ts";
import { usageError } from "./usage_error.ts";

/** Which operands a command takes. */
export interface OperandRule {
  /** As shown in help, e.g. `FILE` or `MODULE [-- ARGS...]`. */
  readonly usage: string;
  readonly min: number;
  readonly max: number;
  /** What follows `--` belongs to the guest, and nothing may stand between the module and `--`. */
  readonly guestArguments?: boolean;
}

export interface GivenArguments {
  /** The word behind `--help`, empty without one; null when nobody asked for help. */
  readonly help: string | null;
  /** Values by flag name, in the order given. */
  readonly flags: ReadonlyMap<string, readonly string[]>;
  readonly operands: readonly string[];
  readonly guestArguments: readonly string[];
}

type Token = NonNullable<ReturnType<typeof parseArgs>["tokens"]>[number];

/** Reads the words; the first one that does not fit is wrong usage. Asking for help ends the reading. */
export function readArguments(
  words: readonly string[],
  table: FlagTable,
  rule: OperandRule,
): GivenArguments {
  const flags = new Map<string, string[]>();
  const operands: string[] = [];
  const guestArguments: string[] = [];
  let terminated = false;
  const tokens = tokenize(words, table);
  for (const [i, token] of tokens.entries()) {
    if (token.kind === "option-terminator") {
      terminated = true;
    } else if (terminated && rule.guestArguments) {
      guestArguments.push(tokenText(token));
    } else if (rule.guestArguments && operands.length > 0) {
      const what = tokenText(token);
      throw usageError(
        `"${what}" follows the module: put "--" before arguments of the guest, flags before it`,
      );
    } else if (token.kind === "positional") {
      operands.push(token.value);
    } else if (token.name === "help") {
      const next = tokens[i + 1];
      return { help: next?.kind === "positional" ? next.value : "", flags, operands, guestArguments };
    } else {
      const values = flags.get(token.name) ?? [];
      flags.set(token.name, [...values, optionValue(token, table)]);
    }
  }
  checkOperands(operands, rule);
  return { help: null, flags, operands, guestArguments };
}

function tokenize(words: readonly string[], table: FlagTable): Token[] {
  const options: NonNullable<Parameters<typeof parseArgs>[0]>["options"] = {
    help: { type: "boolean", short: "h", multiple: true },
  };
  for (const [option, { kind, short }] of Object.entries(table)) {
    options[flagName(option)] = {
      type: kind.values === "none" ? "boolean" : "string",
      multiple: true,
      ...(short === undefined ? {} : { short }),
    };
  }
  return parseArgs({ args: [...words], options, allowPositionals: true, strict: false, tokens: true }).tokens;
}

function optionValue(token: Extract<Token, { kind: "option" }>, table: FlagTable): string {
  const names = new Map(Object.keys(table).map((option) => [flagName(option), option]));
  const option = names.get(token.name);
  if (option === undefined) {
    const near = token.rawName.startsWith("--")
      ? didYouMean(token.rawName, [...names.keys()].map((name) => `--${name}`))
      : "";
    throw usageError(`unknown flag "${token.rawName}"${near}`);
  }
  if (table[option]!.kind.values === "none") return token.value ?? "true";
  const value = token.value;
  // A flag right behind is a forgotten value far more often than a value; `--flag=-x` is still possible.
  if (value === undefined || (!token.inlineValue && value.length > 1 && value.startsWith("-"))) {
    throw usageError(`"${token.rawName}" needs a value: write "--${token.name}=VALUE"`);
  }
  return value;
}

function tokenText(token: Token): string {
  if (token.kind === "positional") return token.value;
  return token.kind === "option" ? token.rawName : "--";
}

function checkOperands(operands: readonly string[], { usage, min, max }: OperandRule): void {
  if (operands.length < min) throw usageError(`an operand is missing: give ${usage}`);
  if (operands.length <= max) return;
  const takes = max === 0 ? "takes no operands" : `takes only ${usage}`;
  throw usageError(`unexpected "${operands[max]}": this command ${takes}`);
}
