/** A slot in a process of its own, seen from the provider: one task after the other, through a pipe. */

import { WasimoffError } from "../errors.ts";
import type { Slot, SlotIo, SlotResult, SlotTask } from "./slot.ts";
import { type ConversationEnd, SlotConversation } from "./slot_conversation.ts";
import { MAX_KEPT_BYTES } from "./kept_files.ts";
import { type SuppliedFile, writeFile } from "./slot_supply.ts";
import type { SlotProcess } from "./slot_process.ts";
import { broken, FRAME, FrameDecoder } from "./slot_protocol.ts";

const MIB = 1024 * 1024;
/**
 * Instances leave something behind in the engine, though little; what matters is seen by the memory of the process.
 * A start costs as much CPU as a few hundred small tasks.
 */
export const MAX_TASKS = 10_000;
/** A dead instance keeps its memory until it is collected, which the engine is in no hurry to do. */
export const MAX_KEPT_MEMORY_BYTES = 64 * MIB;
/** What the engine may need beyond the cap of the task, and what the slot keeps of modules and ZIPs. */
export const MAX_EXTRA_RSS_BYTES = 128 * MIB;
/** A slot starts in some 30 ms; a machine that needs this long is of no use. */
export const START_TIMEOUT_MS = 10_000;

export interface PipedSlotOptions {
  /** Sent before the slot is ready, for its interpreter. */
  readonly boot?: readonly Uint8Array[];
  /** What it may ask for besides the files of its task. */
  readonly wheels?: readonly SuppliedFile[];
  /** Only Python slots are slow to start. */
  readonly startTimeoutMs?: number;
  /** Tasks after which it is replaced. */
  readonly maxTasks?: number;
  readonly signal?: AbortSignal | undefined;
}

export class PipedSlot implements Slot {
  readonly #process: SlotProcess;
  readonly #options: PipedSlotOptions;
  readonly #decoder = new FrameDecoder();
  #tasks = 0;
  #usable = true;
  /** Of the task that runs; null between tasks. */
  #conversation: SlotConversation | null = null;
  /** Memory of the process between tasks, as it was last known. */
  #rssBytes = 0;

  private constructor(process: SlotProcess, options: PipedSlotOptions) {
    this.#process = process;
    this.#options = options;
    process.exited.then(() => this.#usable = false);
  }

  /** Resolves when the slot is warm; rejects with `unavailable` when it does not get there. */
  static async start(process: SlotProcess, options: PipedSlotOptions = {}): Promise<PipedSlot> {
    const { boot = [], startTimeoutMs = START_TIMEOUT_MS, signal } = options;
    const slot = new PipedSlot(process, options);
    const kill = () => void process.kill();
    const timer = setTimeout(kill, startTimeoutMs);
    signal?.addEventListener("abort", kill, { once: true });
    try {
      signal?.throwIfAborted();
      for (const file of boot) await writeFile(process, file);
      await slot.#awaitReady();
      slot.#rssBytes = process.usage?.()?.rssBytes ?? 0;
      return slot;
    } catch (error) {
      await process.kill();
      signal?.throwIfAborted();
      throw error;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", kill);
    }
  }

  get usable(): boolean {
    return this.#usable;
  }

  get ended(): Promise<void> {
    return this.#process.exited.then(() => {});
  }

  async run(task: SlotTask, io: SlotIo, signal: AbortSignal): Promise<SlotResult> {
    if (this.#conversation !== null || !this.#usable) {
      throw new TypeError("a slot runs one task at a time, and none after its end");
    }
    this.#tasks += 1;
    const conversation = this.#conversation = new SlotConversation({
      ...{ process: this.#process, decoder: this.#decoder, rssBytes: this.#rssBytes },
      ...{ task, io, wheels: this.#options.wheels ?? [] },
    });
    try {
      const end = await conversation.run(signal);
      if (end.rssBytes > 0) this.#rssBytes = end.rssBytes;
      this.#usable &&= conversation.alive && !this.#isWorn(end, task.limits.memoryBytes);
      return end.result;
    } finally {
      this.#usable &&= conversation.alive;
      this.#conversation = null;
    }
  }

  close(): Promise<void> {
    this.#usable = false;
    return this.#conversation?.close() ?? this.#process.kill();
  }

  async #awaitReady(): Promise<void> {
    for (;;) {
      const bytes = await this.#process.read();
      if (bytes === null) {
        const cause = await howItEnded(this.#process);
        throw new WasimoffError("unavailable", "cannot start a slot: its process ended", { cause });
      }
      const [frame, more] = this.#decoder.push(bytes);
      if (frame === undefined) continue;
      if (frame.type !== FRAME.READY) throw broken(`its first frame has type ${frame.type}`);
      if (more !== undefined || !this.#decoder.isBetweenFrames) {
        throw broken("it goes on before its first task");
      }
      return;
    }
  }

  #isWorn({ result, rssBytes, keptBytes }: ConversationEnd, capBytes: number): boolean {
    // No more is believed than a slot may keep.
    const grownBytes = rssBytes - Math.min(keptBytes, MAX_KEPT_BYTES);
    return this.#tasks >= (this.#options.maxTasks ?? MAX_TASKS) ||
      result.memoryBytes > MAX_KEPT_MEMORY_BYTES ||
      grownBytes > capBytes + MAX_EXTRA_RSS_BYTES;
  }
}

async function howItEnded({ exited, lastWords }: SlotProcess): Promise<string> {
  const [how, said = ""] = await Promise.all([exited, lastWords]);
  return said === "" ? how : `${how}: ${said}`;
}
