/** Broker and providers as their own processes, started through the real command line. */

import { Client } from "../../core/client/client.ts";
import type { TaskRequest } from "../../core/client/task_request.ts";
import { dialV2 } from "../../core/host/dial_v2.ts";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;
/** A start that takes longer has failed. */
const START_TIMEOUT_MS = 15_000;

/** One of our commands as a child; its stderr is kept and can be waited on. */
export class CommandProcess implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #reading: Promise<void>;
  #log = "";
  #changed = Promise.withResolvers<void>();

  constructor(
    args: readonly string[],
    options: { env?: Record<string, string>; stdin?: "piped" | "null" } = {},
  ) {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-prompt", "--quiet", MAIN, ...args],
      stdin: options.stdin ?? "null",
      stdout: "null",
      stderr: "piped",
      env: { NO_COLOR: "1", XDG_STATE_HOME: "/dev/null", ...options.env },
    }).spawn();
    this.#reading = this.#read();
  }

  get pid(): number {
    return this.#child.pid;
  }

  get log(): string {
    return this.#log;
  }

  get status(): Promise<Deno.CommandStatus> {
    return this.#child.status;
  }

  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  /** Resolves with the match when stderr has it. */
  async said(pattern: RegExp, timeoutMs = START_TIMEOUT_MS): Promise<RegExpExecArray> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const match = pattern.exec(this.#log);
      if (match !== null) return match;
      const leftMs = deadline - performance.now();
      let timer: ReturnType<typeof setTimeout> | undefined;
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(
          () => reject(new Error(`${pattern} was not said within ${timeoutMs} ms:\n${this.#log}`)),
          leftMs,
        );
      });
      await Promise.race([this.#changed.promise, late]).finally(() => clearTimeout(timer));
    }
  }

  /** Ends it: politely, then by force. */
  async [Symbol.asyncDispose](): Promise<void> {
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), 5_000);
    try {
      this.#child.kill("SIGTERM");
    } catch {
      // It has ended already.
    }
    await this.#child.status;
    clearTimeout(timer);
    await this.#reading;
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of this.#child.stderr) {
      this.#log += decoder.decode(chunk, { stream: true });
      this.#changed.resolve();
      this.#changed = Promise.withResolvers();
    }
    this.#changed.resolve();
  }
}

export class RealCluster implements AsyncDisposable {
  readonly #stack = new AsyncDisposableStack();

  private constructor(readonly broker: CommandProcess, readonly url: string) {
    this.#stack.use(broker);
  }

  static async start(...flags: readonly string[]): Promise<RealCluster> {
    const broker = new CommandProcess(["broker", "--http", "localhost:0", "--drain", "1s", ...flags]);
    const [, url] = await broker.said(/ready at (http:\S+)/);
    return new RealCluster(broker, url!);
  }

  async provider(...flags: readonly string[]): Promise<CommandProcess> {
    const provider = this.#stack.use(new CommandProcess(["provider", "--url", this.url, ...flags]));
    await provider.said(/provider is ready/);
    return provider;
  }

  async client(): Promise<Client> {
    const url = `${this.url.replace("http", "ws")}/api/client/ws`;
    const client = await Client.connect({
      dial: dialV2(url),
    });
    this.#stack.defer(() => client.close());
    return client;
  }

  /** Stores a module and returns its reference. */
  async upload(bytes: Uint8Array): Promise<string> {
    const body = bytes as Uint8Array<ArrayBuffer>;
    const signal = AbortSignal.timeout(START_TIMEOUT_MS);
    const response = await fetch(`${this.url}/api/storage/upload`, { method: "POST", body, signal });
    const text = (await response.text()).trim();
    if (!response.ok) throw new Error(`upload failed: ${text}`);
    return text;
  }

  async example(name: string): Promise<string> {
    return await this.upload(
      await Deno.readFile(new URL(`../../examples/${name}/${name}.wasm`, import.meta.url)),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

const NOWHERE = { write() {}, end() {}, abort() {} };

/** Runs a task whose output nobody wants. */
export function runQuietly(client: Client, task: TaskRequest, signal?: AbortSignal) {
  return client.run(task, { stdout: NOWHERE, stderr: NOWHERE }, signal === undefined ? {} : { signal });
}
