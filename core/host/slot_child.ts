/** The child process of a slot, and its pipes. */

import type { SlotProcess } from "../provider/slot_process.ts";
import type { ChildCommand } from "./self_command.ts";

/** A pipe holds no more. */
const READ_BYTES = 64 * 1024;
/** The end of what a dying slot says is kept for the log. */
const STDERR_TAIL_BYTES = 4096;

export class SlotChild implements SlotProcess {
  readonly pid: number;
  readonly exited: Promise<string>;
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reader: ReadableStreamBYOBReader;
  #buffer = new ArrayBuffer(READ_BYTES);

  /** Throws what `Deno.Command` throws. */
  constructor({ path, args }: ChildCommand) {
    const options = { stdin: "piped", stdout: "piped", stderr: "piped", detached: true } as const;
    this.#child = new Deno.Command(path, { args: [...args], ...options }).spawn();
    this.pid = this.#child.pid;
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

  async #reap(): Promise<string> {
    const stderr = tail(this.#child.stderr);
    const { code, signal } = await this.#child.status;
    await this.#writer.abort().catch(() => {});
    await this.#reader.cancel().catch(() => {});
    const how = signal === null ? `exit status ${code}` : `signal ${signal}`;
    const said = new TextDecoder().decode(await stderr).trim();
    return said === "" ? how : `${how}: ${said}`;
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
