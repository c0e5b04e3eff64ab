/** The guard of a provider: a process that ends the slots when the provider can no longer do it. */

import { Backoff } from "../backoff.ts";
import { delay } from "../delay.ts";
import { WasimoffError } from "../errors.ts";
import type { Logger } from "../log.ts";
import { childEnvironment } from "./child_environment.ts";
import type { ChildCommand } from "./self_command.ts";

export interface GuardOptions {
  /** Starts `serveGuard` (see commands/guard.ts), with the right to kill. */
  readonly command: ChildCommand;
  readonly logger: Logger;
}

/** What the starter of slots needs from it. */
export interface SlotGuard {
  /** Resolves when the guard's pipe has the process id. */
  watch(pid: number): Promise<void>;
  unwatch(pid: number): void;
}

/**
 * Runs one guard process, told which process ids are slots (`+123` and `-123`, a line each). When its stdin ends,
 * because the provider closed it or was killed, it kills them all. A guard that dies is replaced.
 */
export class Guard implements SlotGuard {
  readonly #options: GuardOptions;
  readonly #pids = new Set<number>();
  readonly #closing = new AbortController();
  readonly #ran: Promise<void>;
  #writer: WritableStreamDefaultWriter<Uint8Array> | null = null;

  /** Starts the guard; throws `unavailable` when that cannot be done. */
  constructor(options: GuardOptions) {
    this.#options = options;
    this.#ran = this.#keepRunning(this.#spawn());
  }

  async watch(pid: number): Promise<void> {
    this.#pids.add(pid);
    await this.#tell(`+${pid}\n`);
  }

  unwatch(pid: number): void {
    this.#pids.delete(pid);
    void this.#tell(`-${pid}\n`);
  }

  /** Ends the guard, which kills what it still watches; resolves when it is gone. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#writer?.close().catch(() => {}); // it may have died, which is what we want
    await this.#ran;
  }

  #spawn(): Deno.ChildProcess {
    const { path, args } = this.#options.command;
    try {
      return new Deno.Command(path, {
        args: [...args],
        stdin: "piped",
        stdout: "null",
        stderr: "null",
        clearEnv: true,
        env: childEnvironment(),
        detached: true, // the terminal's signals are for the provider, which may drain for a while
      }).spawn();
    } catch (error) {
      throw new WasimoffError("unavailable", "cannot start the guard of the slots", { cause: error });
    }
  }

  async #keepRunning(first: Deno.ChildProcess): Promise<void> {
    const backoff = new Backoff();
    for (let child: Deno.ChildProcess | null = first;; child = this.#respawn()) {
      if (child !== null && await this.#runs(child)) return;
      const closed = await delay(backoff.next(), this.#closing.signal).then(() => false, () => true);
      if (closed) return;
    }
  }

  /** Resolves when the process is gone: true when that was wanted. */
  async #runs(child: Deno.ChildProcess): Promise<boolean> {
    this.#writer = child.stdin.getWriter();
    this.#writer.closed.catch(() => {}); // the status below says the same
    if (this.#pids.size > 0) await this.#tell([...this.#pids].map((pid) => `+${pid}\n`).join(""));
    const { code, signal } = await child.status;
    if (this.#closing.signal.aborted) return true;
    this.#options.logger.warn("guard of the slots died, starting another", { code, signal });
    await this.#writer.abort().catch(() => {});
    this.#writer = null;
    return false;
  }

  /** null when the machine is short of something: it is tried again, as slots must not stay without a guard. */
  #respawn(): Deno.ChildProcess | null {
    try {
      return this.#spawn();
    } catch (error) {
      this.#options.logger.error("cannot start another guard, trying again", { error });
      return null;
    }
  }

  async #tell(line: string): Promise<void> {
    try {
      await this.#writer?.write(new TextEncoder().encode(line));
    } catch {
      // The guard has died: its successor is told everything.
    }
  }
}
