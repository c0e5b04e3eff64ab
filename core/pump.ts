/** Moves bytes from a source to a sink. */

import type { ByteSink, ByteSource } from "./byte_stream.ts";
import { WasimoffError } from "./errors.ts";

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
      const room = sink.write(chunk);
      if (room !== undefined) await room;
    } catch (error) {
      const cause = WasimoffError.from(error);
      source.cancel(cause);
      return { side: "sink", cause };
    }
  }
}
