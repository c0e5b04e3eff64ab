/** Runs the compiled binary for smoke_binary.ts, with nothing but the binary to rely on. */

/** Nothing here takes longer. */
const LIMIT_MS = 60_000;
/** For processes to end after what should end them. */
const GONE_MS = 2_000;
const POLL_MS = 20;

export interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A server; disposing kills it. */
export interface Server extends AsyncDisposable {
  readonly pid: number;
  /** The line on stderr that was waited for. */
  readonly said: RegExpExecArray;
  readonly status: Promise<Deno.CommandStatus>;
  kill(signal: Deno.Signal): void;
}

export class SmokeBinary {
  readonly #path: string;
  readonly #cwd: string;

  /** `temporary` is where the binary may leave files behind. */
  constructor(path: string, cwd: string, readonly temporary: string) {
    this.#path = path;
    this.#cwd = cwd;
  }

  /** Runs it to its end. */
  async run(args: readonly string[], stdin = ""): Promise<Result> {
    const child = this.#spawn(args, "piped");
    const writer = child.stdin.getWriter();
    const written = writer.write(new TextEncoder().encode(stdin)).then(() => writer.close()).catch(() => {});
    const { code, stdout, stderr } = await child.output();
    await written;
    return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
  }

  /** Starts a server and waits until its stderr says that it is ready. */
  async serve(args: readonly string[], ready: RegExp): Promise<Server> {
    const child = this.#spawn(args, "null");
    let stderr = "";
    const said = Promise.withResolvers<RegExpExecArray>();
    const read = (async () => {
      for await (const chunk of child.stderr.pipeThrough(new TextDecoderStream())) {
        stderr += chunk;
        const found = ready.exec(stderr);
        if (found !== null) said.resolve(found);
      }
      said.reject(new Error(`"${args[0]}" ended before it was ready: ${stderr}`));
    })();
    return {
      pid: child.pid,
      said: await said.promise,
      status: child.status,
      kill: (signal) => child.kill(signal),
      [Symbol.asyncDispose]: async () => {
        try {
          child.kill("SIGKILL");
        } catch {
          // It has ended already.
        }
        await Promise.all([child.status, read, child.stdout.cancel()]);
      },
    };
  }

  /** Ids of all processes that run this binary. */
  async processes(): Promise<number[]> {
    const pids: number[] = [];
    for await (const { name } of Deno.readDir("/proc")) {
      const path = await Deno.readLink(`/proc/${name}/exe`).catch(() => ""); // no process, or gone
      if (path === this.#path) pids.push(Number(name));
    }
    return pids;
  }

  /** Resolves when no other process runs this binary any more. */
  async onlyProcesses(expected: readonly number[]): Promise<void> {
    const untilMs = performance.now() + GONE_MS;
    for (;;) {
      const others = (await this.processes()).filter((pid) => !expected.includes(pid));
      if (others.length === 0) return;
      if (performance.now() > untilMs) throw new Error(`processes are left behind: ${others.join(", ")}`);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  /** From the start to the first byte on stdout, and the memory at that moment. */
  async measureStart(args: readonly string[], times: number): Promise<{ medianMs: number; rssMiB: number }> {
    const starts: { ms: number; rssMiB: number }[] = [];
    for (let i = 0; i < times; i++) {
      const startMs = performance.now();
      const child = this.#spawn(args, "piped");
      const reader = child.stdout.getReader();
      await reader.read();
      const ms = performance.now() - startMs;
      const status = await Deno.readTextFile(`/proc/${child.pid}/status`).catch(() => "");
      starts.push({ ms, rssMiB: Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? NaN) / 1024 });
      await child.stdin.close();
      await Promise.all([reader.cancel(), child.stderr.cancel(), child.status]);
    }
    const median = starts.toSorted((a, b) => a.ms - b.ms)[times >> 1]!;
    return { medianMs: median.ms, rssMiB: median.rssMiB };
  }

  #spawn(args: readonly string[], stdin: "piped" | "null"): Deno.ChildProcess {
    return new Deno.Command(this.#path, {
      args: [...args],
      cwd: this.#cwd,
      clearEnv: true,
      env: { HOME: this.#cwd, TMPDIR: this.temporary, NO_COLOR: "1" },
      stdin,
      stdout: "piped",
      stderr: "piped",
      signal: AbortSignal.timeout(LIMIT_MS),
    }).spawn();
  }
}
