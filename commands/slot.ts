/** Hidden subcommand `slot`: a child of the provider that runs its guests, without any permission. */

import { delay } from "../core/delay.ts";
import type { SlotHost } from "../core/provider/slot_host.ts";
import { systemClock } from "../core/wasi/system_clock.ts";
import { SlotLoop } from "../core/provider/slot_loop.ts";
import { revokePermissions } from "./revoke_permissions.ts";

/** What Deno lets every program have: storage on the disk, drivers of graphics cards, further threads. */
const SEALED = ["localStorage", "sessionStorage", "caches", "navigator", "Worker"] as const;
/** Asking for the process's memory takes 10 us, as long as a small task. */
const RSS_INTERVAL_MS = 5;
/** A pipe holds no more. */
const READ_BYTES = 64 * 1024;
/** What setTimeout can count to. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Serves the provider at the other end of stdin and stdout until it is gone; ends the process. */
export async function runSlot(): Promise<never> {
  revokePermissions();
  for (const name of SEALED) Reflect.deleteProperty(globalThis, name);
  // The provider decides when to stop, also when a service manager signals all processes at once.
  for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, () => {});
  try {
    await new SlotLoop(processHost()).serve();
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) {
      Deno.stderr.writeSync(new TextEncoder().encode(Deno.inspect(error)));
      Deno.exit(1);
    }
  }
  Deno.exit(0); // at once: a guest may still be waiting for a timer
}

function processHost(): SlotHost {
  let rss = { bytes: Deno.memoryUsage().rss, atMs: performance.now() };
  const buffer = new Uint8Array(READ_BYTES);
  const filled = (length: number | null) => length === null ? null : buffer.subarray(0, length);
  return {
    read: async () => filled(await Deno.stdin.read(buffer)),
    readSync: () => filled(Deno.stdin.readSync(buffer)),
    write(bytes) {
      for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
    },
    turn: () => new Promise((resolve) => setImmediate(resolve)),
    rssBytes() {
      const atMs = performance.now();
      if (atMs - rss.atMs >= RSS_INTERVAL_MS) rss = { bytes: Deno.memoryUsage().rss, atMs };
      return rss.bytes;
    },
    heapIsBounded: true,
    clock: systemClock({ sleep }),
    random: (bytes) => void crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>),
  };
}

function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return delay(Math.min(ms, MAX_TIMER_MS), signal);
}

// From source it is started alone: `deno run` reads all that an entry may ever import, so main.ts takes longer.
if (import.meta.main) await runSlot();
