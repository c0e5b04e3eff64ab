/** A command: its description, and the frame in which it runs. */

import { Logger } from "../core/log.ts";
import { type CommandLine, type CommandShape, readCommandLine } from "./command_line.ts";
import type { COMMON_FLAGS } from "./common_flags.ts";
import type { FlagTable, OptionsOf } from "./flags.ts";
import { type HelpSpec, renderHelp } from "./help.ts";
import { createLogSink, wantsColour } from "./log_sink.ts";
import { failureStatus, reportError } from "./report_error.ts";
import { writeStderr } from "./stderr.ts";
import { printLine } from "./stdout.ts";

type CommandFlags = FlagTable & typeof COMMON_FLAGS;

/** What `main.ts` passes to every command. */
export interface Invocation {
  /** Aborted by the first SIGINT or SIGTERM. */
  readonly signal: AbortSignal;
  /** Every command's name. */
  readonly commands: readonly string[];
}

export interface Command {
  /** The help text, of a topic when one is named; throws for a topic that is none. */
  help(topic?: string): string;
  /** Runs the command and resolves with its exit status; never rejects. */
  main(words: readonly string[], invocation: Invocation): Promise<number>;
}

/** What a command's body gets. */
export interface Call<T extends FlagTable> extends CommandLine<T> {
  readonly log: Logger;
  readonly signal: AbortSignal;
}

export interface CommandSpec<T extends CommandFlags> extends HelpSpec, CommandShape<T> {
  readonly operands: CommandShape<T>["operands"];
  readonly flags: T;
  /** A server shows the fields of its events without being asked. */
  readonly server?: boolean;
  /** The exit status for an error that `run` rejects with. */
  readonly failureStatus?: (thrown: unknown) => number;
  /** Resolves with the exit status. */
  readonly run: (call: Call<T>) => Promise<number>;
}

export function defineCommand<T extends CommandFlags>(spec: CommandSpec<T>): Command {
  return {
    help: (topic) => renderHelp(spec, topic),
    main: (words, invocation) => runCommand(spec, words, invocation),
  };
}

async function runCommand<T extends CommandFlags>(
  spec: CommandSpec<T>,
  words: readonly string[],
  { signal, commands }: Invocation,
): Promise<number> {
  let log = stderrLogger({ log: "text", quiet: false, verbose: false }, false);
  try {
    const line = await readCommandLine(spec, words, { variable: (name) => Deno.env.get(name), commands });
    if ("help" in line) {
      await printLine(renderHelp(spec, line.help));
      return 0;
    }
    // The constraint on T says that the common flags are among the options; the mapped type cannot show it.
    const common = line.options as OptionsOf<FlagTable> as OptionsOf<typeof COMMON_FLAGS>;
    log = stderrLogger(common, spec.server ?? false);
    return await spec.run({ ...line, log, signal });
  } catch (error) {
    reportError(error, log);
    return (spec.failureStatus ?? failureStatus)(error);
  }
}

type LogOptions = Pick<OptionsOf<typeof COMMON_FLAGS>, "log" | "quiet" | "verbose">;

function stderrLogger({ log, quiet, verbose }: LogOptions, server: boolean): Logger {
  return new Logger(createLogSink({
    form: log,
    level: verbose ? "debug" : quiet ? "warn" : "info",
    fields: verbose || server,
    colour: wantsColour(Deno.stderr.isTerminal(), Deno.env.get("NO_COLOR")),
    write: writeStderr,
    now: () => new Date(),
  }));
}
