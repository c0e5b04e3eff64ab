/** A place in the pool: a slot, and what it probably keeps from the tasks before. */

import type { FileRef } from "../storage/file_store.ts";
import { MODULE_CACHE, TREE_CACHE } from "./kept_files.ts";
import type { Slot, SlotTask } from "./slot.ts";

export class SlotSeat {
  readonly slot: Slot;
  /** As many as the slot keeps, the latest last. */
  readonly #modules = new Set<FileRef>();
  readonly #zips = new Set<FileRef>();

  constructor(slot: Slot) {
    this.slot = slot;
  }

  /** More for a slot that has less to do before the task: a ZIP takes longer to unpack than a module to compile. */
  fit({ module, preopens }: SlotTask): number {
    const knowsZips = preopens.every(({ zip }) => zip === null || this.#zips.has(zip.ref));
    return (knowsZips ? 2 : 0) + (this.#modules.has(module.ref) ? 1 : 0);
  }

  /** Notes what the slot has run. */
  remember({ module, preopens }: SlotTask): void {
    keepLatest(this.#modules, module.ref, MODULE_CACHE.maxEntries);
    for (const { zip } of preopens) {
      if (zip !== null) keepLatest(this.#zips, zip.ref, TREE_CACHE.maxEntries);
    }
  }
}

function keepLatest(refs: Set<FileRef>, ref: FileRef, max: number): void {
  refs.delete(ref);
  refs.add(ref);
  if (refs.size > max) refs.delete(refs.keys().next().value!);
}
