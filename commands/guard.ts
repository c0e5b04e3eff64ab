/** Hidden subcommand `guard`: kills a provider's slots when the provider is gone (see core/host/guard.ts). */

/** As many lines as a provider may write before they are read. */
const READ_BYTES = 4096;
/** Of one line: a sign and a process id. */
const MAX_LINE_LENGTH = 12;
const LINE = /^([+-])([1-9][0-9]*)$/;
const REVOKED = ["read", "write", "net", "env", "sys", "ffi", "import"] as const;

/** Listens on stdin until it ends, then kills every process it was told of. */
export async function runGuard(): Promise<void> {
  for (const name of REVOKED) Deno.permissions.revokeSync({ name });
  // The provider decides when to stop, also when a service manager signals all processes at once.
  for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, () => {});
  for (const pid of await watchedAtTheEnd()) kill(pid);
}

async function watchedAtTheEnd(): Promise<Set<number>> {
  const pids = new Set<number>();
  const buffer = new Uint8Array(READ_BYTES);
  const decoder = new TextDecoder();
  let rest = "";
  for (;;) {
    const length = await Deno.stdin.read(buffer);
    if (length === null) return pids;
    const lines = (rest + decoder.decode(buffer.subarray(0, length), { stream: true })).split("\n");
    rest = lines.pop()!.slice(-MAX_LINE_LENGTH);
    for (const line of lines) note(line, pids);
  }
}

function note(line: string, pids: Set<number>): void {
  const [, sign, pid] = LINE.exec(line) ?? [];
  if (sign === "+") pids.add(Number(pid));
  if (sign === "-") pids.delete(Number(pid));
}

function kill(pid: number): void {
  try {
    Deno.kill(pid, "SIGKILL");
  } catch {
    // It has ended already, as most slots do when their pipe is closed.
  }
}

// From source it is started alone (see commands/slot.ts).
if (import.meta.main) await runGuard();
