/** Tasks and streams for tests of slots. */

import type { ByteSink, ByteSource } from "../../core/byte_stream.ts";
import type { WasimoffError } from "../../core/errors.ts";
import type { SlotFile, SlotIo, SlotLimits, SlotTask } from "../../core/provider/slot.ts";
import { refOf } from "./chunks.ts";

const GUEST = Deno.readFileSync(new URL("../testdata/slot/guest.wasm", import.meta.url));

/** Generous ones for small tasks. */
export const LIMITS: SlotLimits = {
  timeoutMs: 30_000,
  cpuMs: null,
  memoryBytes: 32 * 1024 * 1024,
  diskBytes: 64 * 1024 * 1024,
  inodes: 10_000,
  descriptors: 64,
  outputBytes: null,
  artifactBytes: 1024 * 1024,
};

/** A file whose loads are counted. */
export function fileOf(bytes: Uint8Array): SlotFile & { loads: number } {
  return {
    ref: refOf(bytes),
    loads: 0,
    load() {
      this.loads += 1;
      return Promise.resolve(bytes);
    },
  };
}

/** The guest of testdata/slot with some arguments. */
export function guestTask(
  args: readonly string[],
  { limits, ...rest }: Partial<Omit<SlotTask, "limits">> & { limits?: Partial<SlotLimits> } = {},
): SlotTask {
  return {
    module: fileOf(GUEST),
    args: ["guest", ...args],
    env: [],
    preopens: [],
    artifacts: [],
    lenientArtifacts: false,
    deterministic: false,
    ...rest,
    limits: { ...LIMITS, ...limits },
  };
}

/** Keeps what it gets, and how it ended. */
export class CollectingSink implements ByteSink {
  readonly chunks: Uint8Array[] = [];
  ending: "open" | "end" | WasimoffError = "open";
  /** Resolves with the first bytes. */
  readonly first = Promise.withResolvers<void>();

  get bytes(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.chunks.flatMap((chunk) => [...chunk]));
  }

  get text(): string {
    return new TextDecoder().decode(this.bytes);
  }

  get size(): number {
    return this.chunks.reduce((sum, { length }) => sum + length, 0);
  }

  write(chunk: Uint8Array): Promise<void> | void {
    this.chunks.push(chunk);
    this.first.resolve();
  }

  end(): void {
    if (this.ending === "open") this.ending = "end";
  }

  abort(reason: WasimoffError): void {
    if (this.ending === "open") this.ending = reason;
  }
}

/** Takes the first write and never has room again. */
export class StuckSink extends CollectingSink {
  override write(chunk: Uint8Array): Promise<void> {
    super.write(chunk);
    return new Promise(() => {});
  }
}

/** Gives chunks in order; notes how many were taken and whether it was cancelled. */
export class ChunkSource implements ByteSource {
  readonly #chunks: Iterator<Uint8Array>;
  readonly #open: boolean;
  taken = 0;
  cancelled: WasimoffError | null = null;
  readonly #waiting = Promise.withResolvers<null>();

  /** `open` keeps it without an end after the last chunk. */
  constructor(chunks: Iterable<Uint8Array>, { open = false }: { open?: boolean } = {}) {
    this.#chunks = chunks[Symbol.iterator]();
    this.#open = open;
  }

  read(): Promise<Uint8Array | null> {
    const { value, done } = this.#chunks.next();
    if (done) return this.#open ? this.#waiting.promise : Promise.resolve(null);
    this.taken += value.length;
    return Promise.resolve(value);
  }

  cancel(reason: WasimoffError): void {
    this.cancelled ??= reason;
    this.#waiting.resolve(null);
  }
}

/** Streams that collect; stdin as given. */
export function collectingIo(stdin: ByteSource | null = null): SlotIo & {
  readonly stdout: CollectingSink;
  readonly stderr: CollectingSink;
  readonly artifacts: CollectingSink;
} {
  return {
    stdin,
    stdout: new CollectingSink(),
    stderr: new CollectingSink(),
    artifacts: new CollectingSink(),
  };
}
