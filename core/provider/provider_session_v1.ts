/** One connection of a provider with an existing broker: says what it has, serves tasks, drains (wasimoff-v1 4). */

import { create, isMessage } from "@bufbuild/protobuf";
import { WasimoffError } from "../errors.ts";
import type { PayloadV1 } from "../protocol/envelope_v1.ts";
import {
  Event_FileSystemUpdateSchema,
  Event_ProviderResourcesSchema,
  Filesystem_Listing_RequestSchema,
  Filesystem_Probe_RequestSchema,
  Filesystem_Upload_RequestSchema,
  PingSchema,
  type Task_Cancel,
  Task_CancelSchema,
  type Task_Pyodide_Request,
  Task_Pyodide_RequestSchema,
  type Task_Wasip1_Request,
  Task_Wasip1_RequestSchema,
} from "../protocol/gen/wasimoff/v1/messages_pb.ts";
import { MessengerV1 } from "../protocol/messenger_v1.ts";
import type { LinkV1 } from "./link_v1.ts";
import type { ProviderOptions } from "./provider_options.ts";
import { SlotLine } from "./slot_line.ts";
import { TaskFilesV1 } from "./task_files_v1.ts";
import { runPyodide } from "./python_task_v1.ts";
import { runWasip1, type TaskPartsV1 } from "./task_v1.ts";

/** Tasks that may wait for a slot: brokers send no more than there are slots, but for one or two in a race. */
const MAX_WAITING_TASKS = 64;
/** A leaving provider lets the answer to its last task go first, which is sent in a later microtask. */
const LEAVE_DELAY_MS = 10;

interface RunningTask {
  readonly id: string;
  readonly cancel: AbortController;
  /** Resolves when nothing of it runs any more. */
  readonly ended: Promise<void>;
}

export class ProviderSessionV1 {
  readonly #options: ProviderOptions;
  readonly #files: TaskFilesV1;
  readonly #line: SlotLine;
  readonly #messenger: MessengerV1;
  readonly #tasks = new Set<RunningTask>();
  readonly #done = Promise.withResolvers<void>();
  #draining = false;
  #listed = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor({ pipe, encoding, files }: LinkV1, options: ProviderOptions) {
    this.#options = options;
    this.#files = new TaskFilesV1({
      files,
      loadFile: options.loadFile,
      onFetched: (ref) => this.#messenger.emit(create(Event_FileSystemUpdateSchema, { added: [ref] })),
    });
    this.#line = new SlotLine({ slots: options.slots, maxWaiting: MAX_WAITING_TASKS });
    this.#messenger = new MessengerV1(pipe, encoding, {
      request: (payload, signal) => this.#serve(payload, signal),
      event: () => {}, // the size and the speed of the cluster: for a page that shows them
    });
  }

  /** Serves until everything is drained ("done"), or the connection ends: then resolves with the cause. */
  async serve(): Promise<"done" | WasimoffError> {
    const { signal } = this.#options;
    const ended = this.#messenger.signal;
    const drain = () => this.#drain();
    signal.addEventListener("abort", drain, { once: true });
    ended.addEventListener("abort", () => this.#done.resolve(), { once: true });
    try {
      if (ended.aborted) return WasimoffError.from(ended.reason);
      this.#tellResources();
      if (signal.aborted) drain();
      await this.#done.promise;
      return this.#draining ? "done" : WasimoffError.from(ended.reason);
    } finally {
      signal.removeEventListener("abort", drain);
      clearTimeout(this.#timer);
      this.#messenger.close("provider has left");
    }
  }

  async #serve(payload: PayloadV1, signal: AbortSignal): Promise<PayloadV1> {
    if (isMessage(payload, Task_Wasip1_RequestSchema)) {
      return await this.#runTask(payload, (parts, signal) => runWasip1(payload, parts, signal), signal);
    }
    if (isMessage(payload, Task_Pyodide_RequestSchema)) {
      return await this.#runTask(payload, (parts, signal) => runPyodide(payload, parts, signal), signal);
    }
    if (isMessage(payload, Task_CancelSchema)) return await this.#cancel(payload);
    if (isMessage(payload, PingSchema)) return payload;
    if (isMessage(payload, Filesystem_Listing_RequestSchema)) return await this.#list();
    if (isMessage(payload, Filesystem_Probe_RequestSchema)) return await this.#files.probe(payload.file);
    if (isMessage(payload, Filesystem_Upload_RequestSchema)) return await this.#files.upload(payload.upload);
    throw new WasimoffError("unimplemented", "not implemented yet");
  }

  /** Nothing else tells that the broker will seat us: it waits for this answer first. */
  async #list(): Promise<PayloadV1> {
    const { name, onReady } = this.#options;
    const listing = await this.#files.list();
    if (!this.#listed) onReady?.(name);
    this.#listed = true;
    return listing;
  }

  async #runTask(
    { info }: Task_Wasip1_Request | Task_Pyodide_Request,
    run: (parts: TaskPartsV1, signal: AbortSignal) => Promise<PayloadV1>,
    signal: AbortSignal,
  ): Promise<PayloadV1> {
    // Another provider will take it: an error of the envelope is no end of the task.
    if (this.#draining) throw new WasimoffError("unavailable", "provider is draining");
    const cancel = new AbortController();
    const ended = Promise.withResolvers<void>();
    const running = { id: info?.id ?? "", cancel, ended: ended.promise };
    this.#tasks.add(running);
    this.#tellResources();
    try {
      const parts = { options: this.#options, files: this.#files, line: this.#line };
      return await run(parts, AbortSignal.any([signal, cancel.signal]));
    } finally {
      this.#tasks.delete(running);
      ended.resolve();
      if (this.#options.once) this.#drain();
      else this.#tellResources();
      this.#leaveWhenIdle();
    }
  }

  /** Echoed when the task is gone: only then the broker counts its slot as free. */
  async #cancel(request: Task_Cancel): Promise<Task_Cancel> {
    const { id = "", reason = "" } = request;
    if (id === "") throw new WasimoffError("invalid_argument", "cancel names no task");
    // A broker that has lost sight of one may have sent it again.
    const meant = [...this.#tasks].filter((task) => task.id === id);
    for (const { cancel } of meant) cancel.abort(new WasimoffError("canceled", reason || "by the broker"));
    await Promise.all(meant.map(({ ended }) => ended));
    return request;
  }

  #tellResources(): void {
    const concurrency = this.#draining ? 0 : this.#options.slots;
    const tasks = Math.min(this.#tasks.size, this.#options.slots);
    this.#messenger.emit(create(Event_ProviderResourcesSchema, { concurrency, tasks }));
  }

  /** Takes no more tasks; done when the last has ended or the time for that is over. */
  #drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    this.#tellResources();
    this.#timer = setTimeout(() => this.#done.resolve(), this.#options.drainMs);
    this.#leaveWhenIdle();
  }

  #leaveWhenIdle(): void {
    if (!this.#draining || this.#tasks.size > 0) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#done.resolve(), LEAVE_DELAY_MS);
  }
}
