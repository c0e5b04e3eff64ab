/** What `submit` says while its task is on the way. */

import type { TaskProgress } from "../core/client/task_request.ts";
import type { Logger } from "../core/log.ts";

/** A task that is placed within this time has not waited as far as a person can tell. */
const PATIENCE_MS = 1000;

/** Says why a task waits once it has waited a while, and when it goes to another provider. */
export class ProgressNotices {
  readonly #log: Logger;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(log: Logger) {
    this.#log = log;
  }

  report({ state, task, provider, detail }: TaskProgress): void {
    this.close();
    this.#log.debug(`the task is ${state}`, { task, provider });
    if (state === "retrying") {
      this.#log.info(`trying another provider: ${detail || "one was lost"}`, { task });
    } else if (state === "queued" && detail !== "") {
      this.#timer = setTimeout(
        () => this.#log.info(`waiting in the queue: ${detail}`, { task }),
        PATIENCE_MS,
      );
    }
  }

  /** Nothing more is said afterwards. */
  close(): void {
    clearTimeout(this.#timer);
  }
}
