/** Reads the streams by which a peer steers the connection: its control stream and those of QPACK. */

import type { ByteReader } from "./byte_reader.ts";
import { FrameStream } from "./frame_stream.ts";
import { Http3Error } from "./http3_error.ts";
import { FRAME_TYPE } from "./http3_frame.ts";
import { decodeSettings, type Settings } from "./settings.ts";
import { STREAM_TYPE } from "./stream_header.ts";
import { readVarint } from "./varint.ts";

export interface ControlOwner {
  onSettings(settings: Settings): void;
  /** The peer will end the connection. */
  onGoaway(): void;
}

/** Instructions without a dynamic table: its capacity is set to 0 (RFC 9204 4.3.1), a stream is cancelled (4.4.2). */
const CAPACITY_OF_ZERO = 0b0010_0000;
const isCancellation = (byte: number) => (byte & 0b1100_0000) === 0b0100_0000;
const CANCELLATION_PREFIX = 0b0011_1111;

export class PeerControl {
  readonly #owner: ControlOwner;
  readonly #isServer: boolean;
  readonly #seen = new Set<bigint>();
  #lastGoaway: bigint | undefined;

  constructor(owner: ControlOwner, { isServer }: { isServer: boolean }) {
    this.#owner = owner;
    this.#isServer = isServer;
  }

  /** Reads such a stream until it breaks a rule, which it rejects with, or until the connection ends. */
  async read(type: bigint, reader: ByteReader): Promise<void> {
    if (type === STREAM_TYPE.PUSH) {
      throw this.#isServer
        ? new Http3Error("H3_STREAM_CREATION_ERROR", "read stream: clients cannot push")
        : new Http3Error("H3_ID_ERROR", "read stream: no push was allowed");
    }
    if (type > STREAM_TYPE.QPACK_DECODER) return reader.cancel();
    if (this.#seen.has(type)) {
      throw new Http3Error("H3_STREAM_CREATION_ERROR", `read stream: the second of type ${type}`);
    }
    this.#seen.add(type);
    if (type === STREAM_TYPE.CONTROL) await this.#readControl(new FrameStream(reader, "control"));
    else await readInstructions(type, reader);
    throw new Http3Error("H3_CLOSED_CRITICAL_STREAM", `read stream: the one of type ${type} ended`);
  }

  async #readControl(frames: FrameStream): Promise<void> {
    for (;;) {
      const frame = await frames.next();
      if (frame === undefined) return;
      if (frame.type === FRAME_TYPE.SETTINGS) this.#owner.onSettings(decodeSettings(frame.payload));
      else if (frame.type === FRAME_TYPE.GOAWAY) this.#readGoaway(frame.payload);
    }
  }

  #readGoaway(payload: Uint8Array): void {
    const id = readVarint(payload);
    if (id === undefined || id.next !== payload.length) {
      throw new Http3Error("H3_FRAME_ERROR", "read goaway: it is not one integer");
    }
    const isStream = this.#isServer || id.value % 4n === 0n;
    if (!isStream || (this.#lastGoaway !== undefined && id.value > this.#lastGoaway)) {
      throw new Http3Error("H3_ID_ERROR", `read goaway: the id ${id.value} may not come here`);
    }
    this.#lastGoaway = id.value;
    this.#owner.onGoaway();
  }
}

/** The streams of QPACK, on which next to nothing may come, because we allow no dynamic table and use none. */
async function readInstructions(type: bigint, reader: ByteReader): Promise<void> {
  const isEncoder = type === STREAM_TYPE.QPACK_ENCODER;
  let continues = false;
  for (;;) {
    const bytes = await reader.readSome();
    if (bytes === undefined) return;
    for (const byte of bytes) {
      const isFine = isEncoder ? byte === CAPACITY_OF_ZERO : continues || isCancellation(byte);
      if (!isFine) {
        const name = isEncoder ? "QPACK_ENCODER_STREAM_ERROR" : "QPACK_DECODER_STREAM_ERROR";
        throw new Http3Error(name, "read instructions of QPACK: they refer to a dynamic table");
      }
      continues = continues
        ? (byte & 0x80) !== 0
        : !isEncoder && (byte & CANCELLATION_PREFIX) === CANCELLATION_PREFIX;
    }
  }
}
