/** A request whose guest's stdio flows over streams of the session: the side that answers. */

import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ByteSink, ByteSource } from "../byte_stream.ts";
import { WasimoffError } from "../errors.ts";
import type { Stdio as WireStdio, StreamLengthsSchema } from "../protocol/gen/wasimoff/v2/wasimoff_pb.ts";
import type { SendStream } from "./send_stream.ts";
import type { Session } from "./session.ts";

/** An output of a guest: a stream of the session, or nothing when the requester gave no id for it. */
export class GuestSink implements ByteSink {
  readonly #stream: SendStream | null;

  constructor(stream: SendStream | null) {
    this.#stream = stream;
  }

  get length(): number {
    return this.#stream?.length ?? 0;
  }

  write(chunk: Uint8Array): Promise<void> | void {
    return this.#stream?.write(chunk);
  }

  /** An unused stream costs no frame: the answer's length 0 stands for its END. */
  end(): void {
    if (this.#stream === null) return;
    if (this.#stream.length === 0) this.#stream.dropUnused();
    else this.#stream.end();
  }

  /** Also an unused one says so: by length 0 alone it would come to a proper end. */
  abort(reason: WasimoffError): void {
    this.#stream?.abort(reason);
  }
}

/** The streams that a request named. */
export class AcceptedStdio {
  readonly stdinBytes: Uint8Array;
  readonly stdin: ByteSource | null;
  readonly stdout: GuestSink;
  readonly stderr: GuestSink;
  readonly artifacts: GuestSink;
  /** Left out when it was not asked for, which a Python program is told. */
  readonly result?: GuestSink;

  /** Throws `invalid_argument` for stream ids that are not the requester's or are in use. */
  constructor({ streams }: Session, stdio: WireStdio | undefined) {
    const sinks: GuestSink[] = [];
    const sink = (id = 0) => {
      const accepted = new GuestSink(id === 0 ? null : streams.acceptSend(id));
      sinks.push(accepted);
      return accepted;
    };
    this.stdinBytes = stdio?.stdinBytes ?? new Uint8Array(0);
    try {
      this.stdout = sink(stdio?.stdout);
      this.stderr = sink(stdio?.stderr);
      this.artifacts = sink(stdio?.artifacts);
      if (stdio !== undefined && stdio.result !== 0) this.result = sink(stdio.result);
      this.stdin = stdio === undefined || stdio.stdin === 0 ? null : streams.acceptReceive(stdio.stdin);
    } catch (error) { // the good ones among bad ones must not stay open
      for (const accepted of sinks) accepted.abort(WasimoffError.from(error));
      throw error;
    }
  }

  /** What was sent on each, for the answer. */
  lengths(): MessageInitShape<typeof StreamLengthsSchema> {
    return {
      stdout: BigInt(this.stdout.length),
      stderr: BigInt(this.stderr.length),
      artifacts: BigInt(this.artifacts.length),
      result: BigInt(this.result?.length ?? 0),
    };
  }

  /** Ends what is still open, for a request that could not be carried out. */
  abort(reason: WasimoffError): void {
    this.stdin?.cancel(reason);
    this.stdout.abort(reason);
    this.stderr.abort(reason);
    this.artifacts.abort(reason);
    this.result?.abort(reason);
  }
}
