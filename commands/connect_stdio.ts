/** Our standard input and output as the two directions of a connection. */

import type { ByteDuplex, ByteSink, ByteSource } from "../core/byte_stream.ts";
import { WasimoffError } from "../core/errors.ts";
import { writeAll } from "./stdout.ts";

/** The end of the output closes it, so that its reader sees the half-close. */
export function stdioDuplex(): ByteDuplex {
  return { readable: stdinSource(), writable: stdoutSink() };
}

/** Cancelling releases the input, also while a read waits: else that would keep the process. */
function stdinSource(): ByteSource {
  const reader = Deno.stdin.readable.getReader();
  let cancelled: WasimoffError | null = null;
  return {
    async read() {
      const { done, value } = await reader.read();
      if (cancelled !== null) throw cancelled;
      return done ? null : value;
    },
    cancel(reason) {
      if (cancelled !== null) return;
      cancelled = reason;
      reader.cancel(reason).catch(() => {}); // fails only after the input has, which its reader is told
    },
  };
}

function stdoutSink(): ByteSink {
  let turn: Promise<void> = Promise.resolve();
  let failure: WasimoffError | null = null;
  return {
    write(chunk) {
      if (failure !== null) return Promise.reject(failure);
      return turn = writeAll(Deno.stdout, chunk);
    },
    end: () => void turn.then(() => Deno.stdout.close(), () => {}), // a failed write was told to its caller
    abort: (reason) => void (failure ??= reason),
  };
}
