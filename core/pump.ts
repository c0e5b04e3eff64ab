/** Moves bytes from a source to a sink. */

import type { ByteSink, ByteSource } from "./byte_stream.ts";
import { WasimoffError } from "./errors.ts";

/** Chunks in smaller buffers are left to the garbage collector. */
const MIN_RELEASED_BYTES = 32 * 1024;

/** Where a flow of bytes broke before its end. */
export interface Break {
  readonly side: "source" | "sink";
  readonly cause: WasimoffError;
}

/**
 * Moves everything until the proper end, with the back-pressure of the sink; resolves with null. A failing
 * source aborts the sink, a failing sink cancels the source: resolves with which one it was. Never rejects.
 */
export async function pump(source: ByteSource, sink: ByteSink): Promise<Break | null> {
  for (;;) {
    let chunk: Uint8Array | null;
    try {
      chunk = await source.read();
    } catch (error) {
      const cause = WasimoffError.from(error);
      sink.abort(cause);
      return { side: "source", cause };
    }
    try {
      if (chunk === null) {
        sink.end();
        return null;
      }
      const room = write(source, sink, chunk);
      if (room !== undefined) await room;
    } catch (error) {
      const cause = WasimoffError.from(error);
      source.cancel(cause);
      return { side: "sink", cause };
    }
  }
}

function write(source: ByteSource, sink: ByteSink, chunk: Uint8Array): Promise<void> | void {
  if (source.release === undefined || chunk.buffer.byteLength < MIN_RELEASED_BYTES) return sink.write(chunk);
  return sink.write(chunk, () => source.release!(chunk));
}
