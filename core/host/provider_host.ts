/** A whole provider on this machine: its slots, their guard, its files and its way to the broker. */

import { FileCache } from "../provider/file_cache.ts";
import { PythonPool } from "../provider/python_pool.ts";
import { runProvider } from "../provider/provider.ts";
import type { ProviderOptions, RunInSlot } from "../provider/provider_options.ts";
import { SlotPool } from "../provider/slot_pool.ts";
import { openSession } from "../session/dialer.ts";
import type { Transport } from "../transport/transport_choice.ts";
import { type BrokerAccess, BrokerDialer, type BrokerUrls } from "./dial_broker.ts";
import { fetchFile, storageAt } from "./fetch_file.ts";
import { openFiles } from "./files.ts";
import { Guard } from "./guard.ts";
import { openPythonSlots } from "./python_slots.ts";
import { createProcessSlotStarter } from "./process_slot.ts";
import type { ChildCommand } from "./self_command.ts";
import { COMMON_TRUST } from "./server_trust.ts";
import { openFetch } from "./trusted_fetch.ts";

export interface ProviderHostOptions
  extends Omit<ProviderOptions, "openSession" | "runInSlot" | "loadFile" | "cached" | "python" | "onReady"> {
  /** To offer Python, with the wheels of a directory or without any; left out not to. */
  readonly python?: { readonly wheels: string | null };
  readonly broker: BrokerUrls;
  /** Default: any transport, common trust, nothing known. */
  readonly access?: BrokerAccess;
  /** null for none. */
  readonly token: string | null;
  /** A directory for fetched files, or null to keep them in memory. */
  readonly storage: string | null;
  /** Program and version, told to the broker. */
  readonly agent: string;
  /** Of WebSockets, in the order of preference; all that we know when absent. */
  readonly protocols?: readonly string[];
  readonly commands: Readonly<Record<"slot" | "pythonSlot" | "guard", ChildCommand>>;
  /** The provider is connected, over this transport, and takes tasks; told after every reconnect. */
  readonly onReady?: (provider: string, transport: Transport) => void;
}

/** Files that are announced: about what a broker remembers of one provider. */
const MAX_ANNOUNCED_FILES = 64;

/** Starts the slots, then serves as `runProvider` does; leaves no process behind. */
export async function runProviderHost(options: ProviderHostOptions): Promise<void> {
  const { broker, access, token, storage, agent, commands, protocols, logger, signal } = options;
  const dialer = new BrokerDialer({
    ...{ broker, token, agent, logger },
    endpoint: "provider",
    query: { id: options.name }, // in v1 there is no other place for it
    ...(access && { access }),
    ...(protocols && { protocols }),
  });
  using trusted = openFetch(access?.trust ?? COMMON_TRUST);
  const { files } = await openFiles(storage);
  let storageUrl = broker.http;
  const cache = new FileCache({
    store: files,
    fetchFile: (ref, signal) => fetchFile(storageUrl, ref, { token, fetch: trusted.fetch, signal }),
  });
  const stopped = new AbortController();
  const guard = new Guard({ command: commands.guard, logger });
  try {
    await using python = await openPython(options, guard);
    const start = createProcessSlotStarter({ command: commands.slot, guard, logger });
    const pool = await SlotPool.open({ size: options.slots, start, logger }, signal);
    try {
      const { python: _, onReady, ...rest } = options;
      await runProvider({
        ...rest,
        ...(python !== null && { python: python.version }),
        openSession: async (signal) => {
          const reached = await dialer.connect(signal);
          if (reached.generation === 1) return { ...reached, files };
          return await openSession({ dial: reached.dial, token: token ?? "", agent, logger, signal });
        },
        // Without Python the session refuses such tasks.
        runInSlot: (task, io, signal) => (task.python === undefined ? pool : python!).run(task, io, signal),
        loadFile: (ref, storagePath) => {
          storageUrl = storageAt(broker.http, storagePath);
          return cache.get(ref, stopped.signal);
        },
        onReady: (provider) => onReady?.(provider, dialer.transport!),
        cached: async () => (await files.list()).slice(0, MAX_ANNOUNCED_FILES).map(({ ref }) => ref),
      });
    } finally {
      stopped.abort();
      await pool.close();
    }
  } finally {
    await guard.close();
  }
}

interface PythonOffer extends AsyncDisposable {
  readonly version: string;
  readonly run: RunInSlot;
}

/** A pool with one warm slot; null when Python is not to be offered. */
async function openPython(
  { python, commands, logger, signal }: ProviderHostOptions,
  guard: Guard,
): Promise<PythonOffer | null> {
  if (python === undefined) return null;
  const { wheels } = python;
  const { version, start } = await openPythonSlots({ command: commands.pythonSlot, guard, logger, wheels });
  const pool = await PythonPool.open({ start, logger }, signal);
  return {
    version,
    run: (task, io, signal) => pool.run(task, io, signal),
    [Symbol.asyncDispose]: () => pool.close(),
  };
}
