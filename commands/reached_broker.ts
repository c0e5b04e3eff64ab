/** The broker that `submit` has reached, of either generation, and what is said while a task is with it. */

import type { Client } from "../core/client/client.ts";
import { ClientV1 } from "../core/client/client_v1.ts";
import { checkFitV1, noticeV1, type UnstoredTask } from "../core/client/fit_v1.ts";
import type { TaskRequest, TaskResult, TaskStreams } from "../core/client/task_request.ts";
import { connectClient, type ConnectClientOptions } from "../core/host/connect_client.ts";
import { ProgressNotices } from "./progress_notices.ts";

export class ReachedBroker implements AsyncDisposable {
  readonly #client: Client | ClientV1;
  readonly #notices: ProgressNotices;

  private constructor(client: Client | ClientV1, { logger }: ConnectClientOptions) {
    this.#client = client;
    this.#notices = new ProgressNotices(logger);
  }

  static async reach(options: ConnectClientOptions): Promise<ReachedBroker> {
    return new ReachedBroker(await connectClient(options), options);
  }

  /** Throws `failed_precondition` for a task that this broker cannot carry; else what it does less well, if anything. */
  check(task: UnstoredTask): string | null {
    if (!(this.#client instanceof ClientV1)) return null;
    checkFitV1(task);
    return noticeV1(task);
  }

  /** Whether a program in Python is stored before its task; else it travels within it. */
  get storesPrograms(): boolean {
    return !(this.#client instanceof ClientV1);
  }

  async run(task: TaskRequest, streams: TaskStreams, signal: AbortSignal): Promise<TaskResult> {
    if (this.#client instanceof ClientV1) return await this.#client.run(task, streams, { signal });
    return await this.#client.run(task, streams, {
      signal,
      onProgress: (progress) => this.#notices.report(progress),
    });
  }

  /** Says goodbye: what still runs is cancelled. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#notices.close();
    await this.#client.close();
  }
}
