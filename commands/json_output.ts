/** `--json` of `submit` and `run`: JSON lines with the guest's output, and a last one with the result. */

import type { ByteSink } from "../core/byte_stream.ts";
import type { TaskResult } from "../core/client/task_request.ts";
import type { TaskTrace } from "../core/client/task_trace.ts";
import { WasimoffError } from "../core/errors.ts";
import type { GuestOutput, OutputOptions } from "./guest_output.ts";
import { type RawWriter, writeAll } from "./stdout.ts";
import { type Piece, TextOrBytes } from "./text_or_bytes.ts";
import { eventName } from "./trace_table.ts";

/** Version of the objects; a change that breaks readers raises it. */
const SCHEMA = 1;

/** Writes each object as one line onto stdout, whole lines one after the other. */
export class JsonOutput implements GuestOutput {
  readonly stdout: ByteSink;
  readonly stderr: ByteSink;
  readonly #writer: RawWriter;
  readonly #onClosed: (reason: WasimoffError) => void;
  /** Settles with the line before; at most one line of each stream waits. */
  #last: Promise<void> = Promise.resolve();

  constructor({ stdout, onClosed }: Omit<OutputOptions, "stderr">) {
    this.#writer = stdout;
    this.#onClosed = onClosed;
    this.stdout = new JsonSink("stdout", (line) => this.#line(line));
    this.stderr = new JsonSink("stderr", (line) => this.#line(line));
  }

  /** The last line; `number` is that of a task among several, from 1. */
  async result(end: TaskResult, number?: number): Promise<void> {
    const { reason, origin, status, message } = end.outcome;
    const { task, provider, attempts, queuedMs, durationMs, trace } = end;
    const result = { origin, reason, status, message, task, provider, attempts, queuedMs, durationMs };
    await this.#line({
      schema: SCHEMA,
      ...(number === undefined ? {} : { number }),
      result: trace === undefined ? result : { ...result, trace: traceJson(trace) },
    });
  }

  async #line(value: unknown): Promise<void> {
    const bytes = new TextEncoder().encode(`${JSON.stringify(value)}\n`);
    const before = this.#last;
    const written = (async () => {
      await before;
      await writeAll(this.#writer, bytes);
    })();
    this.#last = written;
    try {
      await written;
    } catch (error) {
      const reason = WasimoffError.from(error);
      this.#onClosed(reason);
      throw reason;
    }
  }
}

/** As JSON of the existing programs: numbers of 64 bits are texts. */
function traceJson({ created, events }: TaskTrace) {
  return {
    created: String(created),
    events: events.map(({ event, unixNano }) => ({ event: eventName(event), unixnano: String(unixNano) })),
  };
}

class JsonSink implements ByteSink {
  readonly #name: "stdout" | "stderr";
  readonly #line: (value: unknown) => Promise<void>;
  readonly #pieces = new TextOrBytes();

  constructor(name: "stdout" | "stderr", line: (value: unknown) => Promise<void>) {
    this.#name = name;
    this.#line = line;
  }

  async write(chunk: Uint8Array): Promise<void> {
    await this.#emit(this.#pieces.push(chunk));
  }

  end(): void {
    this.#flush();
  }

  abort(): void {
    this.#flush();
  }

  #flush(): void {
    // A failure has been told to `onClosed`, and every line after this one fails with it too.
    this.#emit(this.#pieces.end()).catch(() => {});
  }

  async #emit(piece: Piece | null): Promise<void> {
    if (piece === null) return;
    const field = "text" in piece
      ? { [this.#name]: piece.text }
      : { [`${this.#name}Base64`]: piece.bytes.toBase64() };
    await this.#line({ schema: SCHEMA, ...field });
  }
}
