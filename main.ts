/** The program: its commands, what signals do to them, and the only place that sets the exit code. */

import { type Interrupt, INTERRUPT_STATUS, interrupted } from "./commands/interrupt.ts";
import type { Command } from "./commands/command.ts";

interface Entry {
  readonly summary: string;
  readonly load: () => Promise<{ readonly command: Command }>;
}

/** Loaded when asked for: a lean entry starts in a fraction of the time. */
const COMMANDS: Readonly<Record<string, Entry>> = {
  broker: { summary: "bring clients and providers together", load: () => import("./commands/broker.ts") },
  provider: {
    summary: "run tasks of a broker on this machine",
    load: () => import("./commands/provider.ts"),
  },
  submit: { summary: "run a program on a provider", load: () => import("./commands/submit.ts") },
  run: { summary: "run a program here, in the same sandbox", load: () => import("./commands/run.ts") },
  upload: { summary: "store a file at the broker", load: () => import("./commands/upload.ts") },
  files: { summary: "list or remove files of the broker", load: () => import("./commands/files.ts") },
  cert: { summary: "make or show certificates", load: () => import("./commands/cert.ts") },
  tunnel: { summary: "publish a service behind a firewall", load: () => import("./commands/tunnel.ts") },
  connect: { summary: "reach a service behind a tunnel", load: () => import("./commands/connect.ts") },
  doctor: { summary: "check the way to a broker", load: () => import("./commands/doctor.ts") },
  demo: { summary: "see a broker, a provider and tasks at work", load: () => import("./commands/demo.ts") },
  providers: { summary: "list the providers of the broker", load: () => import("./commands/providers.ts") },
};

/** Started by ourselves, without signals, flags and help: a slot must be up within milliseconds. */
const INTERNAL: Readonly<Record<string, () => Promise<void>>> = {
  slot: async () => await (await import("./commands/slot.ts")).runSlot(),
  "python-slot": async () => await (await import("./commands/python_slot.ts")).runPythonSlot(),
  guard: async () => await (await import("./commands/guard.ts")).runGuard(),
};

async function main([name, ...words]: readonly string[]): Promise<number> {
  const internal = name !== undefined && Object.hasOwn(INTERNAL, name) ? INTERNAL[name] : undefined;
  if (internal !== undefined) return await internal().then(() => 0);
  const entry = name !== undefined && Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (entry === undefined) return await (await import("./commands/overview.ts")).overview(name, COMMANDS);
  const root = new AbortController();
  const handlers = (Object.keys(INTERRUPT_STATUS) as Interrupt[]).map((by) => {
    // The first asks everything to end; the second leaves at once, for somebody who will not wait.
    const handler = () => root.signal.aborted ? Deno.exit(INTERRUPT_STATUS[by]) : root.abort(interrupted(by));
    Deno.addSignalListener(by, handler);
    return { by, handler };
  });
  try {
    const { command } = await entry.load();
    const status = await command.main(words, { signal: root.signal, commands: Object.keys(COMMANDS) });
    // A read of our own input may still wait after an interrupt, and would keep the process here.
    if (root.signal.aborted) Deno.exit(status);
    return status;
  } finally {
    for (const { by, handler } of handlers) Deno.removeSignalListener(by, handler);
  }
}

if (import.meta.main) Deno.exitCode = await main(Deno.args);
