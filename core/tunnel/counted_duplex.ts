/** A connection whose bytes are counted and whose end is told. */

import type { ByteDuplex, ByteSink, ByteSource } from "../byte_stream.ts";
import type { TunnelCounters } from "./public_tunnel.ts";

/** Counts what is written as bytes in (from the visitor) and what is read as bytes out; `over` once both have ended. */
export function countedDuplex(
  { readable, writable }: ByteDuplex,
  counters: TunnelCounters,
  over: () => void,
): ByteDuplex {
  let open = 2;
  const ender = () => {
    let ended = false;
    return () => {
      if (!ended && --open === 0) over();
      ended = true;
    };
  };
  return {
    readable: countedSource(readable, (bytes) => counters.bytesOut += bytes, ender()),
    writable: countedSink(writable, (bytes) => counters.bytesIn += bytes, ender()),
  };
}

type Count = (bytes: number) => void;

function countedSource(source: ByteSource, count: Count, ended: () => void): ByteSource {
  return {
    async read() {
      try {
        const chunk = await source.read();
        if (chunk === null) ended();
        else count(chunk.length);
        return chunk;
      } catch (error) {
        ended();
        throw error;
      }
    },
    ...(source.release === undefined ? {} : { release: (chunk: Uint8Array) => source.release!(chunk) }),
    cancel(reason) {
      source.cancel(reason);
      ended();
    },
  };
}

function countedSink(sink: ByteSink, count: Count, ended: () => void): ByteSink {
  return {
    write(chunk, done) {
      count(chunk.length);
      const room = sink.write(chunk, done);
      room?.catch(ended);
      return room;
    },
    end() {
      sink.end();
      ended();
    },
    abort(reason) {
      sink.abort(reason);
      ended();
    },
  };
}
