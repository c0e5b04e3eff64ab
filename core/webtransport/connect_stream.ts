/** The CONNECT stream of a session that is agreed on: capsules in DATA frames both ways. */

import { type Capsule, CapsuleReader, encodeClose, encodeDrain } from "./capsule.ts";
import type { FrameStream } from "./frame_stream.ts";
import { Http3Error } from "./http3_error.ts";
import { encodeFrame, FRAME_TYPE } from "./http3_frame.ts";
import { hasEnded, type QuicBidirectionalStream, type QuicSendStream } from "./quic_connection.ts";

/** No stream of the user keeps a capsule waiting, whatever its order. */
const BEFORE_ALL = 2 ** 31 - 1;

/** Its id is that of the session. */
export class ConnectStream {
  readonly id: bigint;
  readonly #frames: FrameStream;
  readonly #writable: QuicSendStream;

  /** `frames` has read the header fields. */
  constructor(id: bigint, stream: QuicBidirectionalStream, frames: FrameStream) {
    this.id = id;
    this.#frames = frames;
    this.#writable = stream.writable;
  }

  /** Reads capsules until the peer ends its direction. Rejects with what is wrong with them or with the stream. */
  async read(onCapsule: (capsule: Capsule) => void): Promise<void> {
    const capsules = new CapsuleReader();
    for (;;) {
      const frame = await this.#frames.next();
      if (frame === undefined) return capsules.end();
      if (frame.type !== FRAME_TYPE.DATA) {
        throw new Http3Error(
          "H3_FRAME_UNEXPECTED",
          "read session: header fields follow those of its request",
        );
      }
      for (const capsule of capsules.push(frame.payload)) onCapsule(capsule);
    }
  }

  sendDrain(): void {
    this.#send(encodeDrain());
  }

  /** RangeError for a code that has not 32 bits. */
  sendClose(code: number, reason: string): void {
    this.#send(encodeClose(code, reason));
  }

  /** Ends our direction. */
  finish(): void {
    this.#writable.close().catch(ignore);
  }

  /** Ends the peer's direction, and `read`. */
  cancel(): void {
    this.#frames.cancel();
  }

  #send(capsule: Uint8Array): void {
    if (!hasEnded(this.#writable)) this.#writable.sendOrder = BEFORE_ALL;
    const writer = this.#writable.getWriter();
    writer.write(encodeFrame(FRAME_TYPE.DATA, capsule)).catch(ignore);
    writer.releaseLock(); // a writer costs memory, and a session writes twice at most
  }
}

/** A peer that does not read its capsules any more has ended the session: `read` says so. */
function ignore(): void {}
