/** Slots without processes, for tests of the pool. */

import { WasimoffError } from "../../core/errors.ts";
import { exited, failed } from "../../core/outcome.ts";
import type { Slot, SlotIo, SlotResult, SlotTask } from "../../core/provider/slot.ts";

/** Runs a task until the test finishes it. */
export class FakeSlot implements Slot {
  usable = true;
  /** Refs of the modules it ran, in order. */
  readonly ran: string[] = [];
  readonly #ended = Promise.withResolvers<void>();
  #task: PromiseWithResolvers<SlotResult> | null = null;

  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  get busy(): boolean {
    return this.#task !== null;
  }

  run(task: SlotTask, _io: SlotIo, _signal: AbortSignal): Promise<SlotResult> {
    this.ran.push(task.module.ref);
    this.#task = Promise.withResolvers();
    return this.#task.promise;
  }

  /** Ends the task with a status; `worn` asks to be recycled. */
  finish({ status = 0, worn = false }: { status?: number; worn?: boolean } = {}): void {
    if (worn) this.usable = false;
    this.#task?.resolve({ outcome: exited(status), durationMs: 1, memoryBytes: 65536 });
    this.#task = null;
  }

  /** The process dies. */
  die(): void {
    this.usable = false;
    const outcome = failed("trap", "provider", "slot died under the task");
    this.#task?.resolve({ outcome, durationMs: 1, memoryBytes: 0 });
    this.#task = null;
    this.#ended.resolve();
  }

  close(): Promise<void> {
    this.#task?.reject(new WasimoffError("unavailable", "slot was closed under the task"));
    this.#task = null;
    this.die();
    return Promise.resolve();
  }
}
