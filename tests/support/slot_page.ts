/** Slots in a page of a real browser, used from a test as any other slot. */

import type { Page } from "puppeteer-core";
import { WasimoffError } from "../../core/errors.ts";
import type { Slot, SlotFile, SlotIo, SlotResult, SlotTask } from "../../core/provider/slot.ts";
import type { FileRef } from "../../core/storage/file_store.ts";
import type { ErrorData, PageSide, TaskData, TestSide } from "../browser/scripts/slot_page.ts";
import { openChromium } from "./chromium.ts";
import { openPageServer } from "./page_server.ts";
import { collectingIo, type CollectingSink } from "./slot_tasks.ts";

/** The Worker that is shipped, as `openSlotPage` serves it. */
const SLOT_WORKER = "web/slot_worker.js";

export interface TaskEnd extends SlotResult {
  readonly stdout: CollectingSink;
  readonly stderr: CollectingSink;
  readonly artifacts: CollectingSink;
}

export interface SlotPage extends AsyncDisposable {
  readonly page: Page;
  /** Paths that the browser has asked the server for. */
  readonly requests: readonly string[];
  /** Starts a Worker; from another script than ours where told (`tests/some.js` is made of `tests/some.ts`). */
  startSlot(script?: string): Promise<Slot>;
  /** Runs a task in a slot that is started when there is none that is usable. */
  run(task: SlotTask, stdin?: SlotIo["stdin"]): Promise<TaskEnd>;
}

/** Opens the page in a browser of its own. */
export async function openSlotPage(): Promise<SlotPage> {
  const stack = new AsyncDisposableStack();
  try {
    const { origin, requests } = stack.use(openPageServer());
    const { browser } = stack.use(await openChromium());
    const page = await browser.newPage();
    const slots = new PageSlots(page);
    await page.exposeFunction("askTest", slots.answer);
    await page.goto(origin, { waitUntil: "load" });
    return { ...slotsOf(slots), page, requests, [Symbol.asyncDispose]: disposerOf(stack.move()) };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

function disposerOf(stack: AsyncDisposableStack): () => Promise<void> {
  return () => stack.disposeAsync();
}

function slotsOf(slots: PageSlots): Pick<SlotPage, "startSlot" | "run"> {
  let current: Slot | null = null;
  return {
    startSlot: (script = SLOT_WORKER) => slots.start(script),
    async run(task, stdin = null) {
      if (!current?.usable) current = await slots.start(SLOT_WORKER);
      const io = collectingIo(stdin);
      const result = await current.run(task, io, new AbortController().signal);
      return { ...result, stdout: io.stdout, stderr: io.stderr, artifacts: io.artifacts };
    },
  };
}

interface RunningTask {
  readonly files: ReadonlyMap<FileRef, SlotFile>;
  readonly io: SlotIo;
}

class PageSlots {
  readonly #page: Page;
  readonly #tasks = new Map<number, RunningTask>();
  readonly #ended: PromiseWithResolvers<void>[] = [];
  #nextTask = 0;

  constructor(page: Page) {
    this.#page = page;
  }

  /** What the page has called by its name. */
  readonly answer = (method: keyof TestSide, ...args: unknown[]): Promise<unknown> =>
    (this.#answers[method] as (...args: unknown[]) => Promise<unknown>)(...args);

  readonly #answers: TestSide = {
    load: async (task, ref) => {
      try {
        return (await this.#tasks.get(task)!.files.get(ref)!.load()).toBase64();
      } catch (error) {
        return errorData(error);
      }
    },
    read: async (task) => (await this.#tasks.get(task)!.io.stdin!.read())?.toBase64() ?? null,
    cancel: async (task, reason) => await this.#tasks.get(task)!.io.stdin!.cancel(errorOf(reason)),
    write: async (task, stream, bytes) =>
      await this.#tasks.get(task)!.io[stream].write(Uint8Array.fromBase64(bytes)),
    end: async (task, stream) => await this.#tasks.get(task)!.io[stream].end(),
    abort: async (task, stream, reason) => await this.#tasks.get(task)!.io[stream].abort(errorOf(reason)),
    ended: async (slot) => await this.#ended[slot]!.resolve(),
  };

  async start(script: string): Promise<Slot> {
    const ended = Promise.withResolvers<void>();
    const id = this.#ended.push(ended) - 1;
    const error = await this.#ask("start", id, script);
    if (error !== null) throw errorOf(error);
    const slot = {
      usable: true,
      ended: ended.promise,
      run: async (task: SlotTask, io: SlotIo, signal: AbortSignal) => {
        const end = await this.#run(id, { task, io, signal });
        slot.usable = await this.#ask("usable", id);
        if ("code" in end) throw errorOf(end);
        return end;
      },
      close: async () => {
        slot.usable = false;
        await this.#ask("close", id);
      },
    };
    return slot;
  }

  async #run(
    slot: number,
    { task, io, signal }: { task: SlotTask; io: SlotIo; signal: AbortSignal },
  ): Promise<SlotResult | ErrorData> {
    const id = this.#nextTask++;
    const files = [task.module, ...task.preopens.flatMap(({ zip }) => zip ?? [])];
    this.#tasks.set(id, { io, files: new Map(files.map((file) => [file.ref, file])) });
    const data: TaskData = {
      ...task,
      module: task.module.ref,
      preopens: task.preopens.map(({ zip, ...rest }) => ({ ...rest, zip: zip?.ref ?? null })),
      stdin: io.stdin !== null,
    };
    // Where the page is gone meanwhile, the run itself says so.
    const stop = () => void this.#ask("stop", id, errorData(signal.reason)).catch(() => {});
    const ending = this.#ask("run", slot, id, data);
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
    try {
      return await ending;
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }

  /** Calls a function of the page. */
  async #ask<M extends keyof PageSide>(
    method: M,
    ...args: Parameters<PageSide[M]>
  ): Promise<Awaited<ReturnType<PageSide[M]>>> {
    const call = (name: string, values: unknown[]) =>
      (globalThis as unknown as { page: Record<string, (...args: unknown[]) => unknown> }).page[name]!(
        ...values,
      );
    return await this.#page.evaluate(call, method, args) as Awaited<ReturnType<PageSide[M]>>;
  }
}

function errorData(error: unknown): ErrorData {
  const { code, message } = WasimoffError.from(error);
  return { code, message };
}

function errorOf({ code, message }: ErrorData): WasimoffError {
  return new WasimoffError(code, message);
}
