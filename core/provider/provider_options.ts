/** What a provider offers, and the parts it is made of. */

import type { Logger } from "../log.ts";
import type { Session } from "../session/session.ts";
import type { FileRef } from "../storage/file_store.ts";
import type { LinkV1 } from "./link_v1.ts";
import type { SlotIo, SlotResult, SlotTask } from "./slot.ts";

/** Runs a task in a free slot; rejects with `resource_exhausted` when there is none. */
export type RunInSlot = (task: SlotTask, io: SlotIo, signal: AbortSignal) => Promise<SlotResult>;

export interface ProviderOptions {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Attempts at once. */
  readonly slots: number;
  /** The most a task may have, and what it gets when it does not ask. */
  readonly taskMemoryBytes: number;
  readonly taskTimeoutMs: number;
  /** Bytes a task may write to files. */
  readonly taskDiskBytes: number;
  /** Version of Pyodide for Python tasks; left out to take none. */
  readonly python?: string;
  /** Leaves after the first task. */
  readonly once: boolean;
  /** Time that running tasks have to end when the provider is told to leave. */
  readonly drainMs: number;
  /** Opens a session with the broker, or the connection of an existing one, in one attempt. */
  readonly openSession: (signal: AbortSignal) => Promise<Session | LinkV1>;
  readonly runInSlot: RunInSlot;
  /** The content of a file, fetched from the broker when it is not here. */
  readonly loadFile: (ref: FileRef, storagePath: string) => Promise<Uint8Array>;
  /** Files that are here already, most recently used first. */
  readonly cached: () => Promise<readonly FileRef[]>;
  /** The provider is connected and takes tasks; told after every reconnect. */
  readonly onReady?: (provider: string) => void;
  readonly logger: Logger;
  /** Aborting drains: running tasks may end, no new ones are taken. */
  readonly signal: AbortSignal;
}
