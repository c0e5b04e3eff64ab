/** The page in which slots are tested: does what the test says, and asks it for files, input and room. */

import type { ByteSink, ByteSource } from "../../../core/byte_stream.ts";
import { type Code, WasimoffError } from "../../../core/errors.ts";
import { silent } from "../../../core/log.ts";
import type { Slot, SlotFile, SlotResult, SlotTask } from "../../../core/provider/slot.ts";
import type { FileRef } from "../../../core/storage/file_store.ts";
import { createWorkerSlotStarter, openSlotWorker } from "../../../web/worker_slot.ts";

/** A `SlotTask` whose files are refs. */
export interface TaskData extends Omit<SlotTask, "module" | "preopens"> {
  readonly module: FileRef;
  readonly preopens:
    readonly (Omit<SlotTask["preopens"][number], "zip"> & { readonly zip: FileRef | null })[];
  readonly stdin: boolean;
}

export interface ErrorData {
  readonly code: Code;
  readonly message: string;
}

export type StreamName = "stdout" | "stderr" | "artifacts";

/** What the test answers; bytes are base64. Rejections have a message only. */
export interface TestSide {
  load(task: number, ref: FileRef): Promise<string | ErrorData>;
  read(task: number): Promise<string | null>;
  cancel(task: number, reason: ErrorData): Promise<void>;
  write(task: number, stream: StreamName, bytes: string): Promise<void>;
  end(task: number, stream: StreamName): Promise<void>;
  abort(task: number, stream: StreamName, reason: ErrorData): Promise<void>;
  ended(slot: number): Promise<void>;
}

/** What the page answers. */
export interface PageSide {
  start(slot: number, script: string): Promise<ErrorData | null>;
  run(slot: number, task: number, data: TaskData): Promise<SlotResult | ErrorData>;
  stop(task: number, reason: ErrorData): void;
  usable(slot: number): boolean;
  close(slot: number): Promise<void>;
}

const scope = globalThis as unknown as {
  askTest(method: string, ...args: readonly unknown[]): Promise<unknown>;
  page: PageSide;
};
const test = new Proxy({}, {
  get: (_, method) => (...args: readonly unknown[]) => scope.askTest(String(method), ...args),
}) as TestSide;

const slots = new Map<number, Slot>();
const stops = new Map<number, AbortController>();

function errorData(error: unknown): ErrorData {
  const { code, message } = WasimoffError.from(error);
  return { code, message };
}

function file(task: number, ref: FileRef): SlotFile {
  return {
    ref,
    async load() {
      const bytes = await test.load(task, ref);
      if (typeof bytes === "string") return Uint8Array.fromBase64(bytes);
      throw new WasimoffError(bytes.code, bytes.message);
    },
  };
}

function source(task: number): ByteSource {
  return {
    async read() {
      const bytes = await test.read(task);
      return bytes === null ? null : Uint8Array.fromBase64(bytes);
    },
    cancel: (reason) => void test.cancel(task, errorData(reason)),
  };
}

function sink(task: number, stream: StreamName): ByteSink {
  return {
    write: (chunk) => test.write(task, stream, chunk.toBase64()),
    end: () => void test.end(task, stream),
    abort: (reason) => void test.abort(task, stream, errorData(reason)),
  };
}

scope.page = {
  async start(id, script) {
    const openWorker = () => openSlotWorker(new URL(script, location.href));
    try {
      const slot = await createWorkerSlotStarter({ openWorker, logger: silent })();
      slots.set(id, slot);
      void slot.ended.then(() => test.ended(id));
      return null;
    } catch (error) {
      return errorData(error);
    }
  },
  async run(slot, id, { module, preopens, stdin, ...rest }) {
    const stop = new AbortController();
    stops.set(id, stop);
    const task = {
      ...rest,
      module: file(id, module),
      preopens: preopens.map(({ zip, ...other }) => ({ ...other, zip: zip === null ? null : file(id, zip) })),
    };
    const [stdout, stderr, artifacts] = [sink(id, "stdout"), sink(id, "stderr"), sink(id, "artifacts")];
    const io = { stdin: stdin ? source(id) : null, stdout, stderr, artifacts };
    return await slots.get(slot)!.run(task, io, stop.signal).catch(errorData);
  },
  stop: (task, { code, message }) => stops.get(task)?.abort(new WasimoffError(code, message)),
  usable: (slot) => slots.get(slot)!.usable,
  close: (slot) => slots.get(slot)!.close(),
};
