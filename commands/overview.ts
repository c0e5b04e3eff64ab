/** What `wasimoff` says without a command: the list of commands, its version, or that a command is unknown. */

import { WasimoffError } from "../core/errors.ts";
import { failureStatus } from "./report_error.ts";
import { writeStderr } from "./stderr.ts";
import { printLine } from "./stdout.ts";
import { didYouMean } from "./suggest.ts";
import { printable } from "./printable.ts";
import { VERSION } from "./version.ts";

/** Exit status of wrong usage. */
const USAGE_STATUS = 2;

/** Answers words that name no command; resolves with the exit status. */
export async function overview(
  word: string | undefined,
  summaries: Readonly<Record<string, { readonly summary: string }>>,
): Promise<number> {
  switch (word) {
    case "--version":
    case "-V":
      return await print(`wasimoff ${VERSION}`);
    case "--help":
    case "-h":
    case "help":
      return await print(listing(summaries));
    case undefined:
      writeStderr(`${listing(summaries)}\n`);
      return USAGE_STATUS;
    default: {
      const kind = word.startsWith("-") ? "flag" : "command";
      const meant = didYouMean(word, Object.keys(summaries));
      writeStderr(`wasimoff: unknown ${kind} "${printable(word)}"${meant || ': see "wasimoff --help"'}\n`);
      return USAGE_STATUS;
    }
  }
}

async function print(text: string): Promise<number> {
  try {
    await printLine(text);
    return 0;
  } catch (error) {
    writeStderr(`wasimoff: ${WasimoffError.from(error).message}\n`);
    return failureStatus(error);
  }
}

function listing(summaries: Readonly<Record<string, { readonly summary: string }>>): string {
  return [
    "Usage: wasimoff COMMAND [FLAGS] [OPERANDS]",
    "Run WebAssembly programs on other machines.",
    "",
    "  wasimoff broker --http :4080               on one machine; says what to paste",
    "  wasimoff provider --url http://HOST:4080   on each machine that gives CPU time",
    "  wasimoff submit task.wasm -- ARGS          anywhere",
    "",
    ...Object.entries(summaries).map(([name, { summary }]) => `  ${name.padEnd(12)}${summary}`),
    "",
    '"wasimoff COMMAND --help" says more; "wasimoff --version" prints the version.',
  ].join("\n");
}
