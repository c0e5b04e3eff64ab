import { deepEqual } from "node:assert/strict";
import type { ByteDuplex } from "../../../core/byte_stream.ts";
import { WasimoffError } from "../../../core/errors.ts";
import { joinDuplexes } from "../../../core/tunnel/join_duplexes.ts";
import { settle } from "../../support/settle.ts";

const RESET = new WasimoffError("aborted", "connection was reset");

/** One side whose reads a test answers, and which notes what happens to it. */
class ScriptedDuplex implements ByteDuplex {
  readonly events: string[] = [];
  #read: PromiseWithResolvers<Uint8Array | null> | null = null;

  readonly readable = {
    read: () => (this.#read = Promise.withResolvers()).promise as Promise<Uint8Array | null>,
    cancel: (cause: WasimoffError) => {
      this.events.push(`cancel ${cause.code}`);
      this.#read?.reject(cause);
    },
  };

  readonly writable = {
    write: (chunk: Uint8Array) => void this.events.push(`write ${chunk}`),
    end: () => void this.events.push("end"),
    abort: (cause: WasimoffError) => void this.events.push(`abort ${cause.code}`),
  };

  async give(what: Uint8Array | null | WasimoffError): Promise<void> {
    if (what instanceof WasimoffError) this.#read!.reject(what);
    else this.#read!.resolve(what);
    await settle();
  }
}

function joined(signal = new AbortController().signal) {
  const [a, b] = [new ScriptedDuplex(), new ScriptedDuplex()];
  return { a, b, done: joinDuplexes(a, b, signal) };
}

Deno.test("joinDuplexes() moves bytes until each direction has ended", async () => {
  const { a, b, done } = joined();
  await a.give(Uint8Array.of(1));
  await a.give(null);
  await b.give(Uint8Array.of(2));
  deepEqual([a.events, b.events], [["write 2"], ["write 1", "end"]]);
  await b.give(null);
  await done;
  deepEqual(a.events, ["write 2", "end"]);
});

Deno.test("joinDuplexes() makes a reset of one side one of both directions", async () => {
  const { a, b, done } = joined();
  await a.give(null);
  await b.give(RESET);
  await done;
  deepEqual(a.events.includes("abort aborted") && a.events.includes("cancel aborted"), true);
  deepEqual(b.events, ["end", "cancel aborted", "abort aborted"]);
});

Deno.test("joinDuplexes() ends one direction when its sink wants no more, and not the other", async () => {
  const { a, b, done } = joined();
  b.writable.write = () => {
    throw RESET;
  };
  await a.give(Uint8Array.of(1));
  deepEqual([a.events, b.events], [["cancel aborted"], []]);
  await b.give(Uint8Array.of(2));
  await b.give(null);
  await done;
  deepEqual(a.events, ["cancel aborted", "write 2", "end"]);
});

Deno.test("joinDuplexes() ends both when its signal is aborted, before or after", async () => {
  for (const early of [true, false]) {
    const stop = new AbortController();
    if (early) stop.abort(RESET);
    const { a, b, done } = joined(stop.signal);
    stop.abort(RESET);
    if (early) {
      await a.give(RESET);
      await b.give(RESET);
    }
    await done;
    deepEqual([a.events.slice(0, 2), b.events.slice(0, 2)], [
      ["cancel aborted", "abort aborted"],
      ["cancel aborted", "abort aborted"],
    ]);
  }
});
