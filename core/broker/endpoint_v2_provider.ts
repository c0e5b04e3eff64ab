/** A provider of wasimoff_v2 at the broker: seats it, and translates attempts into its requests. */

import { WasimoffError } from "../errors.ts";
import type { Logger } from "../log.ts";
import type { Outcome } from "../outcome.ts";
import type { Announce, AttemptResult } from "../protocol/gen/wasimoff/v2/wasimoff_pb.ts";
import { type EventKind, Messenger, type ResultInit } from "../protocol/messenger.ts";
import { decodeOutcome } from "../protocol/outcome_codec.ts";
import type { Session } from "../session/session.ts";
import { requestWithStdio } from "../session/stdio_request.ts";
import { isFileRef } from "../storage/file_store.ts";
import type { Broker, ProviderSeat } from "./broker.ts";
import type { AttemptReport, AttemptRequest, ProviderInfo, ProviderPeer } from "./provider_peer.ts";
import { encodeAttempt } from "./task_codec.ts";

/** How long a provider may take to announce itself. */
const ANNOUNCE_TIMEOUT_MS = 5_000;
/** Longest name, key or value of a label, in characters. */
const MAX_TEXT_LENGTH = 128;
/** Labels of one provider. */
const MAX_LABELS = 64;
/** Files that a provider may claim; more would be forgotten by the dispatcher anyway. */
const MAX_CACHED = 64;

export interface ProviderEndpointOptions {
  readonly broker: Broker;
  /** Where providers fetch files, told to them. */
  readonly storagePath: string;
  readonly logger: Logger;
}

/** Seats a provider as soon as it has announced itself, until its session ends. */
export function serveProvider(session: Session, options: ProviderEndpointOptions): void {
  new ProviderEndpoint(session, options);
}

class ProviderEndpoint {
  readonly #session: Session;
  readonly #options: ProviderEndpointOptions;
  readonly #messenger: Messenger;
  #seat: ProviderSeat | null = null;
  /** The version that it has announced. */
  #python = "";

  constructor(session: Session, options: ProviderEndpointOptions) {
    this.#session = session;
    this.#options = options;
    const late = setTimeout(
      () => session.close(new WasimoffError("deadline_exceeded", "provider did not announce itself")),
      ANNOUNCE_TIMEOUT_MS,
    );
    session.signal.addEventListener("abort", () => {
      clearTimeout(late);
      this.#seat?.leave();
    }, { once: true });
    session.watch({
      attached: () => this.#seat?.setSuspect(false),
      detached: () => this.#seat?.setSuspect(true),
      suspected: (suspect) => this.#seat?.setSuspect(suspect),
    });
    this.#messenger = new Messenger(session, {
      request: (method) => {
        if (method.case !== "announce") {
          throw new WasimoffError("unimplemented", "providers may only announce themselves");
        }
        clearTimeout(late);
        return Promise.resolve(this.#announce(method.value));
      },
      event: (event) => this.#onEvent(event),
    });
  }

  #announce(announce: Announce): ResultInit {
    if (this.#seat !== null) {
      throw new WasimoffError("already_exists", "provider has announced itself already");
    }
    const peer: ProviderPeer = {
      info: decodeInfo(announce),
      runAttempt: (attempt) => this.#runAttempt(attempt),
    };
    this.#python = announce.python;
    this.#seat = this.#options.broker.join(peer);
    return { case: "announced", value: { provider: this.#seat.id, storagePath: this.#options.storagePath } };
  }

  #onEvent(event: EventKind): void {
    if (event.case !== "providerStatus") return;
    const { slots, draining, backlog } = event.value;
    this.#seat?.setSlots(draining ? 0 : slots, backlog);
  }

  async #runAttempt({ id, spec, origin, io, answered, signal }: AttemptRequest): Promise<AttemptReport> {
    const { result, broken } = await requestWithStdio(this.#session, this.#messenger, io, {
      method: (stdio) => ({
        case: "runAttempt",
        value: { ...encodeAttempt(id, spec, origin.trace !== null), stdio },
      }),
      answered,
      signal,
    }).catch((error) => {
      throw foreign(WasimoffError.from(error));
    });
    if (result.case !== "attempt" || result.value.attempt !== id) {
      throw new WasimoffError("internal", "provider answered for another attempt");
    }
    // A sink of ours that failed has cancelled the attempt: its cause says more than what the provider made of it.
    if (broken?.side === "sink" && !signal.aborted) throw broken.cause;
    const outcome = checkOutcome(result.value, signal);
    // An output that broke on the way makes a clean exit a lie; other ends explain themselves.
    if (broken !== null && outcome.reason === "exit") {
      throw new WasimoffError("unavailable", `output of the provider broke off: ${broken.cause.message}`);
    }
    const { durationMs, trace } = result.value;
    const pythonVersion = spec.python === undefined ? "" : this.#python;
    return { outcome, durationMs, trace, pythonVersion };
  }
}

/** `data_loss` is what our own sinks say of output that cannot be repeated: a provider's just sends the task elsewhere. */
function foreign(error: WasimoffError): WasimoffError {
  return error.code === "data_loss"
    ? new WasimoffError("unavailable", error.message, { cause: error })
    : error;
}

/** What the provider says of the end, as far as it may say it. */
function checkOutcome(result: AttemptResult, signal: AbortSignal): Outcome {
  const outcome = decodeOutcome(result.outcome);
  if (outcome === null) throw new WasimoffError("internal", "provider answered without an outcome");
  if (!signal.aborted && (outcome.reason === "cancelled" || outcome.reason === "lost")) {
    throw new WasimoffError("unavailable", `provider gave up the attempt: ${outcome.message}`);
  }
  return outcome.origin === "guest" ? outcome : { ...outcome, origin: "provider" };
}

function decodeInfo(
  { name, slots, labels, cached, taskMemory, taskTimeoutMs, python }: Announce,
): ProviderInfo {
  const entries = Object.entries(labels);
  if (entries.length > MAX_LABELS) {
    throw new WasimoffError("invalid_argument", `more than ${MAX_LABELS} labels`);
  }
  for (const text of [name, python, ...entries.flat()]) {
    if (text.length > MAX_TEXT_LENGTH) {
      throw new WasimoffError(
        "invalid_argument",
        `name, label or version is longer than ${MAX_TEXT_LENGTH} characters`,
      );
    }
  }
  return {
    name: name || "anonymous",
    generation: 2,
    slots,
    labels,
    cached: cached.slice(0, MAX_CACHED).filter(isFileRef),
    taskMemoryBytes: taskMemory === 0n ? Infinity : Number(taskMemory),
    taskTimeoutMs: taskTimeoutMs === 0n ? Infinity : Number(taskTimeoutMs),
    ...(python !== "" && { python }),
  };
}
