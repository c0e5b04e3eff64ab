/** The child process of a slot, and its pipes. */

import type { ProcessUsage, SlotProcess } from "../provider/slot_process.ts";
import { childEnvironment } from "./child_environment.ts";
import type { ReadUsage } from "./process_usage.ts";
import type { ChildCommand } from "./self_command.ts";

/** A pipe holds no more. */
const READ_BYTES = 64 * 1024;
/** The end of what a dying slot says is kept for the log. */
const STDERR_TAIL_BYTES = 4096;

export class SlotChild implements SlotProcess {
  readonly pid: number;
  readonly exited: Promise<string>;
  readonly lastWords: Promise<string>;
  readonly #readUsage: ReadUsage;
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reader: ReadableStreamBYOBReader;
  #buffer = new ArrayBuffer(READ_BYTES);
  /** Its process id may belong to another process once it is reaped. */
  #reaped = false;

  /** Throws what `Deno.Command` throws. */
  constructor({ path, args }: ChildCommand, readUsage: ReadUsage) {
    const pipes = { stdin: "piped", stdout: "piped", stderr: "piped", detached: true } as const;
    const environment = { clearEnv: true, env: childEnvironment(), cwd: "/" };
    this.#child = new Deno.Command(path, { args: [...args], ...pipes, ...environment }).spawn();
    this.pid = this.#child.pid;
    this.#readUsage = readUsage;
    this.lastWords = tail(this.#child.stderr).then((bytes) => new TextDecoder().decode(bytes).trim());
    this.#writer = this.#child.stdin.getWriter();
    this.#writer.closed.catch(() => {}); // `exited` says the same
    this.#reader = this.#child.stdout.getReader({ mode: "byob" });
    this.exited = this.#reap();
  }

  async read(): Promise<Uint8Array | null> {
    try {
      const { value } = await this.#reader.read(new Uint8Array(this.#buffer));
      if (value === undefined || value.length === 0) return null;
      this.#buffer = value.buffer;
      return value;
    } catch {
      return null; // released, because the process has ended
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    try {
      await this.#writer.write(bytes);
    } catch {
      // The process has ended: `read` tells.
    }
  }

  async kill(): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
    await this.exited;
  }

  usage(): ProcessUsage | null {
    return this.#reaped ? null : this.#readUsage(this.pid);
  }

  async #reap(): Promise<string> {
    const { code, signal } = await this.#child.status;
    this.#reaped = true;
    await this.#writer.abort().catch(() => {});
    await this.#reader.cancel().catch(() => {});
    await this.lastWords;
    return signal === null ? `exit status ${code}` : `signal ${signal}`;
  }
}

/** Reads everything and keeps the last bytes. */
async function tail(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  let kept = new Uint8Array();
  for await (const chunk of stream) {
    const joined = new Uint8Array(kept.length + chunk.length);
    joined.set(kept);
    joined.set(chunk, kept.length);
    kept = joined.slice(-STDERR_TAIL_BYTES);
  }
  return kept;
}
