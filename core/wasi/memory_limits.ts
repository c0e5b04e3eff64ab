/** The one memory of a module, its own or an imported one, and the cap it gets before anything is compiled. */

import type { WasimoffError } from "../errors.ts";
import { refused } from "./module_refusal.ts";
import { type Edit, encodeU32 } from "./module_edits.ts";
import { damaged, type ModuleReader } from "./module_reader.ts";

/** Size of a page of linear memory. */
export const PAGE_BYTES = 65_536;

/** 4 GiB, all a 32-bit memory can have. */
const MAX_PAGES = 65_536;
const MIB = 1024 * 1024;

/** Bits of the flags before a memory's limits (core specification 3.0 and the custom page sizes proposal). */
const HAS_MAX = 1;
const IS_SHARED = 2;
const IS_64_BIT = 4;

/** A memory as a module declares it, in pages; `max` is null where it sets no maximum. */
export interface DeclaredMemory {
  readonly min: number;
  readonly max: number | null;
  /** Where its flags and limits are in the module. */
  readonly start: number;
  readonly end: number;
}

/** Reads a memory section; null when it declares none. More than one memory is refused without reading them. */
export function readMemory(reader: ModuleReader): DeclaredMemory | null {
  const count = reader.u32();
  if (count === 0) return null;
  if (count > 1) throw severalMemories(count);
  return readMemoryType(reader);
}

/** Reads the flags and limits of one memory. */
export function readMemoryType(reader: ModuleReader): DeclaredMemory {
  const start = reader.offset;
  const flags = reader.byte();
  if (flags & IS_SHARED) {
    throw refused("its memory is shared: threads are not supported, build it without them");
  }
  if (flags & IS_64_BIT) throw refused("its memory is 64-bit: build it for wasm32");
  if (flags & ~HAS_MAX) throw refused("its memory has unknown flags: build it with standard features only");
  const min = reader.u32();
  const max = flags & HAS_MAX ? reader.u32() : null;
  if (min > MAX_PAGES || (max !== null && (max > MAX_PAGES || max < min))) {
    throw damaged("memory limits are out of range", reader.offset);
  }
  return { min, max, start, end: reader.offset };
}

/**
 * Most pages the memory may have: its own maximum or the cap (rounded down to pages), whichever is less. Throws
 * `invalid_argument` when it needs more to begin with.
 */
export function cappedPages({ min, max }: DeclaredMemory, maxBytes: number): number {
  const cap = Math.min(Math.floor(maxBytes / PAGE_BYTES), MAX_PAGES);
  if (min > cap) {
    const needed = Math.ceil(min * PAGE_BYTES / MIB);
    throw refused(
      `it needs at least ${needed} MiB of memory and may use ${Math.floor(maxBytes / MIB)} MiB: ` +
        `allow more with --memory ${needed}MiB`,
    );
  }
  return max === null ? cap : Math.min(max, cap);
}

/** What makes the memory have that maximum; nothing when it has it. */
export function capMemory({ min, max, start, end }: DeclaredMemory, pages: number): readonly Edit[] {
  if (max === pages) return [];
  return [{ start, end, bytes: [HAS_MAX, ...encodeU32(min), ...encodeU32(pages)] }];
}

/** The error for a module with more than one memory, its own and imported ones taken together. */
export function severalMemories(count: number): WasimoffError {
  return refused(
    `it has ${count} memories, more than one is not supported: build it without multi-memory`,
  );
}
