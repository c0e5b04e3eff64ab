/** Caps the linear memory of a module by rewriting its memory section, before anything is compiled. */

import { WasimoffError } from "../errors.ts";
import { damaged, type ModuleReader } from "./module_reader.ts";
import { SECTION, type Section } from "./module_sections.ts";

/** Size of a page of linear memory. */
export const PAGE_BYTES = 65_536;

/** 4 GiB, all a 32-bit memory can have. */
const MAX_PAGES = 65_536;
const MIB = 1024 * 1024;

/** Bits of the flags before a memory's limits (core specification 3.0 and the custom page sizes proposal). */
const HAS_MAX = 1;
const IS_SHARED = 2;
const IS_64_BIT = 4;

/** Limits of a memory in pages; null where the module sets no maximum. */
export interface MemoryLimits {
  readonly min: number;
  readonly max: number | null;
}

/** Reads a memory section; null when it declares none. More than one memory is refused without reading them. */
export function readMemory(reader: ModuleReader): MemoryLimits | null {
  const count = reader.u32();
  if (count === 0) return null;
  if (count > 1) {
    throw refused(`it has ${count} memories, more than one is not supported: build it without multi-memory`);
  }
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
  return { min, max };
}

/** The module with its memory's maximum lowered to `maxBytes` (rounded down to pages); the same bytes if it fits. */
export function capMemory(
  bytes: Uint8Array,
  section: Section,
  options: { limits: MemoryLimits; maxBytes: number },
): Uint8Array {
  const { limits, maxBytes } = options;
  const cap = Math.min(Math.floor(maxBytes / PAGE_BYTES), MAX_PAGES);
  if (limits.min > cap) {
    const needed = Math.ceil(limits.min * PAGE_BYTES / MIB);
    throw refused(
      `it needs at least ${needed} MiB of memory and may use ${Math.floor(maxBytes / MIB)} MiB: ` +
        `allow more with --memory ${needed}MiB`,
    );
  }
  if (limits.max !== null && limits.max <= cap) return bytes;
  const contents = [1, HAS_MAX, ...encodeU32(limits.min), ...encodeU32(cap)];
  const rewritten = [SECTION.memory, ...encodeU32(contents.length), ...contents];
  const result = new Uint8Array(bytes.length - (section.end - section.start) + rewritten.length);
  result.set(bytes.subarray(0, section.start));
  result.set(rewritten, section.start);
  result.set(bytes.subarray(section.end), section.start + rewritten.length);
  return result;
}

function encodeU32(value: number): number[] {
  return value < 0x80 ? [value] : [value % 0x80 | 0x80, ...encodeU32(Math.floor(value / 0x80))];
}

function refused(why: string): WasimoffError {
  return new WasimoffError("invalid_argument", `cannot run module: ${why}`);
}
