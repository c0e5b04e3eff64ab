/** The inside of a slot: takes tasks from a pipe and runs them one after the other. */

import { failed } from "../outcome.ts";
import { findJspi } from "../wasi/jspi.ts";
import { OutputAllowance } from "./output_allowance.ts";
import { SlotFiles } from "./slot_files.ts";
import { decodeRun, type DoneHeader, encodeDone, type RunHeader } from "./slot_headers.ts";
import type { SlotHost } from "./slot_host.ts";
import { SlotIntake } from "./slot_intake.ts";
import { broken, CHUNK_BYTES, encodeFrame, encodeNumber, FRAME, type Frame } from "./slot_protocol.ts";
import { FrameDecoder, type FrameType, HEADER_BYTES, writeHeader } from "./slot_protocol.ts";
import { SlotStdin } from "./slot_stdin.ts";
import { runTask, warmUp } from "./slot_task.ts";
import { WholeStdin } from "./whole_stdin.ts";

/** Serves one provider until the pipe ends. Rejects when the provider does not keep to the protocol. */
export class SlotLoop {
  readonly #host: SlotHost;
  readonly #intake = new SlotIntake();
  readonly #files: SlotFiles;
  /** Header and payload of a stream's frame, put together for one write. */
  readonly #scratch = new Uint8Array(HEADER_BYTES + CHUNK_BYTES);
  readonly #failed = Promise.withResolvers<never>();
  /** Whether a guest can wait. Else its input is complete before its start, and its output has a limit. */
  readonly #canWait = findJspi() !== null;
  /** Of the task that runs; null between tasks. */
  #stdin: SlotStdin | WholeStdin | null = null;
  /** Of the task that runs; null where guests can wait. */
  #allowance: OutputAllowance | null = null;
  /** Whether the task had to wait for a file. */
  #waited = false;

  constructor(host: SlotHost) {
    this.#host = host;
    this.#files = new SlotFiles((ref) => {
      this.#waited = true;
      const file = this.#intake.expect();
      host.write(encodeFrame(FRAME.NEED, new TextEncoder().encode(ref)));
      return file;
    }, host.heapIsBounded);
  }

  async serve(): Promise<void> {
    await warmUp(this.#host);
    this.#host.write(encodeFrame(FRAME.READY));
    await Promise.race([this.#readFrames(), this.#failed.promise]);
  }

  async #readFrames(): Promise<void> {
    const decoder = new FrameDecoder();
    for (;;) {
      // Between tasks a blocking read answers some 30 us sooner.
      const idle = this.#stdin === null;
      const bytes = idle && this.#host.readSync !== undefined
        ? this.#host.readSync()
        : await this.#host.read();
      if (bytes === null) return;
      for (const frame of decoder.push(bytes)) this.#receive(frame);
      // A guest that waits for nothing has ended when this returns.
      await this.#host.turn();
    }
  }

  #receive({ type, payload }: Frame): void {
    switch (type) {
      case FRAME.RUN:
        this.#start(decodeRun(payload));
        return;
      case FRAME.FILE:
        return this.#intake.begin(payload);
      case FRAME.FILE_CHUNK:
        return this.#intake.add(payload);
      case FRAME.FILE_FAILED:
        return this.#intake.fail();
      case FRAME.STDIN: // the guest may have ended before its input did
        return this.#stdin?.push(payload);
      case FRAME.STDIN_END:
        return this.#stdin?.end();
      default:
        throw broken(`a frame of type ${type}`);
    }
  }

  #start(header: RunHeader): void {
    if (this.#stdin !== null) throw broken("a second task");
    const grant = (bytes: number) => void this.#host.write(encodeNumber(FRAME.CREDIT, bytes));
    const Stdin = this.#canWait ? SlotStdin : WholeStdin;
    this.#stdin = new Stdin({ ended: !header.stdin, grant });
    this.#run(header, this.#stdin).catch(this.#failed.reject);
  }

  async #run(header: RunHeader, stdin: SlotStdin | WholeStdin): Promise<void> {
    this.#waited = false;
    this.#allowance = this.#canWait ? null : new OutputAllowance();
    const done = await this.#refuseStdin(stdin) ?? await runTask(header, {
      files: this.#files,
      host: this.#host,
      stdin,
      write: (type, chunk) => this.#stream(type, chunk),
      started: () => this.#waited && void this.#host.write(encodeFrame(FRAME.STARTED)),
      packing: () => void this.#host.write(encodeFrame(FRAME.ENDED)),
    });
    this.#stdin = null;
    this.#host.write(encodeDone({ ...done, outcome: this.#allowance?.problem ?? done.outcome }));
  }

  /** Waits until stdin is complete, where it must be; the end of the task when it is too large for that. */
  async #refuseStdin(stdin: SlotStdin | WholeStdin): Promise<DoneHeader | null> {
    if (stdin instanceof SlotStdin) return null;
    this.#waited = true; // so that the time of the guest begins anew
    const problem = await stdin.complete();
    if (problem === null) return null;
    const outcome = failed("limit", "provider", problem);
    return {
      outcome,
      durationMs: 0,
      memoryBytes: 0,
      rssBytes: this.#host.rssBytes(0),
      keptBytes: this.#files.bytes,
    };
  }

  /** The promise, where the host gives one, means that the guest should wait. */
  #stream(type: FrameType, chunk: Uint8Array): void | Promise<void> {
    const mustWait = this.#canWait || type === FRAME.ARTIFACTS;
    if (!mustWait) this.#allowance?.take(chunk.length);
    for (let at = 0; at < chunk.length; at += CHUNK_BYTES) {
      const part = chunk.subarray(at, at + CHUNK_BYTES);
      writeHeader(this.#scratch, type, part.length);
      this.#scratch.set(part, HEADER_BYTES);
      const room = this.#host.write(this.#scratch.subarray(0, HEADER_BYTES + part.length));
      if (room !== undefined && mustWait) {
        return room.then(() => this.#stream(type, chunk.subarray(at + CHUNK_BYTES)));
      }
    }
  }
}
