/** One run of the real command line, whose output a test reads while it comes. */

import { within } from "./within.ts";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;

export interface CommandRunOptions {
  /** All of its stdin; without it, stdin is empty. */
  readonly stdin?: Uint8Array | string;
  readonly env?: Record<string, string>;
}

export interface CommandEnd {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command that ends by itself, or is killed at the end of its scope. */
export class CommandRun implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #streams: readonly Promise<void>[];
  #stdout = "";
  #stderr = "";
  #changed = Promise.withResolvers<void>();

  constructor(args: readonly string[], { stdin = "", env = {} }: CommandRunOptions = {}) {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-prompt", "--quiet", MAIN, ...args],
      env: {
        NO_COLOR: "1",
        WASIMOFF_TOKEN: "",
        XDG_CONFIG_HOME: "/nonexistent",
        XDG_STATE_HOME: "/dev/null",
        ...env,
      },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#streams = [
      this.#feed(typeof stdin === "string" ? new TextEncoder().encode(stdin) : stdin),
      this.#watch(this.#child.stdout, (text) => this.#stdout += text),
      this.#watch(this.#child.stderr, (text) => this.#stderr += text),
    ];
  }

  get pid(): number {
    return this.#child.pid;
  }

  get stdout(): string {
    return this.#stdout;
  }

  get stderr(): string {
    return this.#stderr;
  }

  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Resolves with the match as soon as stdout or stderr has it. */
  async said(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.#stdout) ?? pattern.exec(this.#stderr);
      if (match !== null) return match;
      await within(this.#changed.promise, `${pattern} (until now: ${this.#stdout}${this.#stderr})`);
    }
  }

  /** Its exit status and all that it said. */
  async end(): Promise<CommandEnd> {
    const { code } = await within(this.#child.status, "the end of a command");
    await within(Promise.all(this.#streams), "the end of a command's output");
    return { code, stdout: this.#stdout, stderr: this.#stderr };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
    await this.#child.status;
    await Promise.all(this.#streams);
  }

  async #feed(bytes: Uint8Array): Promise<void> {
    const writer = this.#child.stdin.getWriter();
    writer.closed.catch(() => {}); // the writes say the same
    try {
      if (bytes.length > 0) await writer.write(bytes);
      await writer.close();
    } catch {
      // It did not want it all.
    }
  }

  async #watch(stream: ReadableStream<Uint8Array>, add: (text: string) => void): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      add(decoder.decode(chunk, { stream: true }));
      this.#changed.resolve();
      this.#changed = Promise.withResolvers();
    }
  }
}

/** Runs a command to its end. */
export async function runCommand(
  args: readonly string[],
  options: CommandRunOptions = {},
): Promise<CommandEnd> {
  await using run = new CommandRun(args, options);
  return await run.end();
}
