/** Gives a slot the files of its task that it lacks. */

import { cutText } from "../cut_text.ts";
import { WasimoffError } from "../errors.ts";
import { failed } from "../outcome.ts";
import type { SlotTask } from "./slot.ts";
import { MAX_FILE_BYTES } from "./slot_intake.ts";
import { moduleMemory, zipMemory } from "./slot_memory.ts";
import type { SlotProcess } from "./slot_process.ts";
import { broken, encodeFrame, encodeNumber, FRAME, MAX_FRAME_BYTES } from "./slot_protocol.ts";
import type { SlotWatch } from "./slot_watch.ts";

/** Time for taking a file, and compiling or unpacking it: a hostile one may need for ever. */
export const PREPARE_TIMEOUT_MS = 30_000;
/** Of a ref that a slot asks for, in a message. */
const MAX_QUOTED_BYTES = 100;

/** A file that a slot may ask for; `ref` is a reference, or the name of a wheel. */
export interface SuppliedFile {
  readonly ref: string;
  load(): Promise<Uint8Array>;
}

export class SlotSupply {
  readonly #task: SlotTask;
  readonly #process: SlotProcess;
  readonly #watch: SlotWatch;
  readonly #wheels: readonly SuppliedFile[];
  /** Each file once for each place where the task has it: else a slot could ask for ever. */
  readonly #owed: SuppliedFile[];
  /** Why a file could not be had, which the slot was told; null while all could. */
  error: WasimoffError | null = null;

  /** `wheels` are what a Python slot may ask for besides the files of the task. */
  constructor(
    task: SlotTask,
    { process, watch, wheels }: {
      readonly process: SlotProcess;
      readonly watch: SlotWatch;
      readonly wheels: readonly SuppliedFile[];
    },
  ) {
    this.#task = task;
    this.#process = process;
    this.#watch = watch;
    this.#owed = [task.module, ...task.preopens.flatMap(({ zip }) => zip ?? []), ...wheels];
    this.#wheels = wheels;
  }

  /** Loads and sends what the slot asks for; resolves when the slot has taken it. Throws `internal` when that is odd. */
  send(ref: string): Promise<void> {
    const at = this.#owed.findIndex((file) => file.ref === ref);
    const [file] = at < 0 ? [] : this.#owed.splice(at, 1);
    if (file !== undefined) return this.#send(file);
    throw broken(`it asks for "${cutText(ref, MAX_QUOTED_BYTES)}", which the task does not need`);
  }

  async #send(file: SuppliedFile): Promise<void> {
    this.#watch.endGuest();
    this.#watch.pause(); // loading has limits of its own
    const bytes = await load(file);
    this.#watch.startPhase(PREPARE_TIMEOUT_MS, () =>
      failed(
        "timeout",
        "provider",
        `preparing the module and its files took longer than ${PREPARE_TIMEOUT_MS} ms`,
      ));
    if (bytes instanceof WasimoffError) {
      this.error ??= bytes;
      return await this.#process.write(encodeFrame(FRAME.FILE_FAILED));
    }
    this.#watch.allowMemory(
      file === this.#task.module || this.#wheels.includes(file)
        ? moduleMemory(bytes.length)
        : zipMemory(bytes.length),
    );
    await writeFile(this.#process, bytes, () => this.#watch.stopped);
  }
}

/** Sends a file; no further than until it is no longer wanted. */
export async function writeFile(
  process: SlotProcess,
  bytes: Uint8Array,
  stopped: () => boolean = () => false,
): Promise<void> {
  await process.write(encodeNumber(FRAME.FILE, bytes.length));
  for (let at = 0; at < bytes.length && !stopped(); at += MAX_FRAME_BYTES) {
    await process.write(encodeFrame(FRAME.FILE_CHUNK, bytes.subarray(at, at + MAX_FRAME_BYTES)));
  }
}

async function load(file: SuppliedFile): Promise<Uint8Array | WasimoffError> {
  try {
    const bytes = await file.load();
    if (bytes.length <= MAX_FILE_BYTES) return bytes;
    return new WasimoffError("out_of_range", `cannot load "${file.ref}": more than ${MAX_FILE_BYTES} bytes`);
  } catch (error) {
    return WasimoffError.from(error);
  }
}
