/** Starts slots as Workers of a page. */

import { WasimoffError } from "../core/errors.ts";
import type { Logger } from "../core/log.ts";
import { PipedSlot } from "../core/provider/piped_slot.ts";
import type { StartSlot } from "../core/provider/slot.ts";
import { WorkerProcess } from "./worker_process.ts";

export interface WorkerSlotOptions {
  /** A new Worker that runs slot_worker.ts. */
  readonly openWorker: () => Worker;
  readonly logger: Logger;
}

/** Each slot is a Worker of its own. */
export function createWorkerSlotStarter({ openWorker, logger }: WorkerSlotOptions): StartSlot {
  return async (signal) => {
    signal?.throwIfAborted();
    const process = new WorkerProcess(open(openWorker));
    void process.exited.then((how) => logger.debug("slot ended", { how }));
    return await PipedSlot.start(process, { signal });
  };
}

/** A Worker from the URL of the bundled slot_worker.ts, which must be of the page's own origin. */
export function openSlotWorker(url: URL): Worker {
  return new Worker(url, { type: "module", name: "wasimoff slot" });
}

function open(openWorker: () => Worker): Worker {
  try {
    return openWorker();
  } catch (error) {
    throw new WasimoffError("unavailable", "cannot start a slot", { cause: error });
  }
}
