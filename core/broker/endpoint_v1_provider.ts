/** A provider of wasimoff_v1 at the broker: seats it, and translates attempts into its requests (wasimoff-v1 4). */

import { create, isMessage } from "@bufbuild/protobuf";
import { cutText } from "../cut_text.ts";
import { delay } from "../delay.ts";
import { WasimoffError } from "../errors.ts";
import type { Logger } from "../log.ts";
import type { EncodingV1, PayloadV1 } from "../protocol/envelope_v1.ts";
import {
  type Event_FileSystemUpdate,
  Event_FileSystemUpdateSchema,
  Event_GenericMessageSchema,
  Event_ProviderResourcesSchema,
  Filesystem_Listing_RequestSchema,
  Filesystem_Listing_ResponseSchema,
  PingSchema,
} from "../protocol/gen/wasimoff/v1/messages_pb.ts";
import { type MessagePipe, MessengerV1 } from "../protocol/messenger_v1.ts";
import { type FileRef, type FileStore, isFileRef } from "../storage/file_store.ts";
import { MAX_TASK_V1_MS, runAttemptV1 } from "./attempt_v1.ts";
import type { Broker, ProviderSeat } from "./broker.ts";
import type { ClusterV1 } from "./cluster_v1.ts";
import { ProviderFilesV1 } from "./provider_files_v1.ts";
import type { AttemptReport, AttemptRequest } from "./provider_peer.ts";
import { requestWithin } from "./request_within.ts";

/** How long a provider may take to list its files; one that hangs would never be seated. */
export const LISTING_TIMEOUT_MS = 10_000;
/** From an answer to the next ping. */
export const PING_INTERVAL_MS = 5_000;
/** A program that answers nothing for so long is deaf, though its socket lives. */
export const PING_TIMEOUT_MS = 30_000;
/** Longest name, in bytes. */
const MAX_NAME_BYTES = 128;
/** Messages for the log: so many of one connection, each so long. */
const MAX_LOGGED_MESSAGES = 100;
const MAX_LOGGED_BYTES = 1_024;
/** Files of a listing or an update that are looked at. */
const MAX_LISTED_FILES = 1_024;

export interface ProviderV1Options {
  readonly broker: Broker;
  readonly encoding: EncodingV1;
  /** What it calls itself, or empty. */
  readonly name: string;
  readonly cluster: ClusterV1;
  /** Where programs in Python are. */
  readonly files: Pick<FileStore, "bytes">;
  /** Where files are that must travel in tasks; null for a provider that can fetch them. */
  readonly inlineFiles: Pick<FileStore, "stat" | "bytes"> | null;
  readonly logger: Logger;
}

/** Seats a provider as soon as it has listed its files, until its connection ends. */
export function serveProviderV1(pipe: MessagePipe, options: ProviderV1Options): void {
  new ProviderEndpointV1(pipe, options);
}

class ProviderEndpointV1 {
  readonly #options: ProviderV1Options;
  readonly #name: string;
  readonly #messenger: MessengerV1;
  readonly #files: ProviderFilesV1;
  #seat: ProviderSeat | null = null;
  /** What it has announced; nothing is placed before. */
  #slots = 0;
  #suspect = false;
  #logged = 0;

  constructor(pipe: MessagePipe, options: ProviderV1Options) {
    this.#options = options;
    this.#name = cutText(options.name, MAX_NAME_BYTES) || "anonymous";
    this.#files = new ProviderFilesV1(options.inlineFiles);
    this.#messenger = new MessengerV1(pipe, options.encoding, {
      request: () => Promise.reject(notServed()),
      event: (event) => this.#onEvent(event),
      suspected: (suspect) => {
        this.#suspect = suspect;
        this.#seat?.setSuspect(suspect);
      },
    });
    this.#messenger.signal.addEventListener("abort", () => this.#seat?.leave(), { once: true });
    this.#serve().catch((error) => this.#drop(WasimoffError.from(error)));
  }

  /** Rejects when the provider does not do what it must. */
  async #serve(): Promise<void> {
    const request = create(Filesystem_Listing_RequestSchema);
    const listing = await requestWithin(this.#messenger, request, LISTING_TIMEOUT_MS);
    if (!isMessage(listing, Filesystem_Listing_ResponseSchema)) {
      throw new WasimoffError("invalid_argument", "provider answered with something else than its files");
    }
    this.#messenger.signal.throwIfAborted(); // it may have left in the same breath
    this.#join(refsOf(listing.files));
    for (;;) {
      await delay(PING_INTERVAL_MS, this.#messenger.signal);
      await this.#ping();
    }
  }

  #join(cached: readonly FileRef[]): void {
    const { broker, cluster } = this.#options;
    this.#files.add(cached);
    this.#seat = broker.join({
      info: {
        name: this.#name,
        generation: 1,
        slots: this.#slots,
        labels: {},
        cached,
        taskMemoryBytes: Infinity, // tasks that ask for memory never come here
        taskTimeoutMs: MAX_TASK_V1_MS,
        python: "", // all of them have it
      },
      runAttempt: (attempt) => this.#runAttempt(attempt),
    });
    this.#seat.setSuspect(this.#suspect);
    cluster.join(this.#messenger);
  }

  /** An error as the answer is an answer, too. */
  async #ping(): Promise<void> {
    try {
      await requestWithin(this.#messenger, create(PingSchema), PING_TIMEOUT_MS);
    } catch (error) {
      const cause = WasimoffError.from(error);
      if (cause.code === "deadline_exceeded" || this.#messenger.signal.aborted) throw cause;
      this.#options.logger.debug("provider answers a ping with an error", { error: cause });
    }
  }

  #onEvent(event: PayloadV1): void {
    if (isMessage(event, Event_ProviderResourcesSchema)) {
      if (event.concurrency === undefined || event.concurrency === this.#slots) return;
      this.#slots = event.concurrency;
      this.#seat?.setSlots(this.#slots, 0);
    } else if (isMessage(event, Event_FileSystemUpdateSchema)) {
      this.#onFiles(event);
    } else if (isMessage(event, Event_GenericMessageSchema) && this.#logged++ < MAX_LOGGED_MESSAGES) {
      const message = cutText(event.message ?? "", MAX_LOGGED_BYTES);
      this.#options.logger.info("provider says", { provider: this.#name, message });
    }
  }

  #onFiles(event: Event_FileSystemUpdate): void {
    const [added, removed] = [refsOf(event.added), refsOf(event.removed)];
    this.#files.add(added);
    this.#files.delete(removed);
    this.#seat?.setFiles(added, removed);
  }

  async #runAttempt(attempt: AttemptRequest): Promise<AttemptReport> {
    const { module, preopens } = attempt.spec;
    const used = [module, ...preopens.flatMap(({ zip }) => zip ?? [])];
    try {
      const report = await runAttemptV1(attempt, {
        messenger: this.#messenger,
        provider: this.#name,
        file: (ref, media) => this.#files.file(ref, media),
        program: async (ref) => await this.#options.files.bytes(ref) ?? gone(ref),
        stuck: (cause) => this.#drop(cause),
      });
      if (report.outcome.reason === "exit") this.#files.add(used);
      return report;
    } catch (error) {
      this.#files.delete(used); // it may lack one of them, whatever it has said before
      throw error;
    }
  }

  #drop(cause: WasimoffError): void {
    if (this.#messenger.signal.aborted) return;
    this.#options.logger.warn("provider is dropped", { provider: this.#name, error: cause });
    this.#messenger.close(cause.message, cause);
  }
}

/** Names that are no references say nothing about content, and are of no use. */
function refsOf(files: readonly string[]): FileRef[] {
  return files.slice(0, MAX_LISTED_FILES).filter(isFileRef);
}

function gone(ref: FileRef): never {
  throw new WasimoffError("not_found", `file "${ref}" is gone from the broker`);
}

function notServed(): WasimoffError {
  return new WasimoffError("unimplemented", "requests not supported on provider socket");
}
