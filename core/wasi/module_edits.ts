/** Rewrites pieces of a module in one copy, and keeps the sizes of its sections right. */

import type { Section } from "./module_sections.ts";

/** Bytes to put in the place of others. */
export interface Edit {
  /** Offsets in the module. */
  readonly start: number;
  readonly end: number;
  readonly bytes: readonly number[];
}

/** Unsigned LEB128. */
export function encodeU32(value: number): number[] {
  return value < 0x80 ? [value] : [value % 0x80 | 0x80, ...encodeU32(Math.floor(value / 0x80))];
}

/** The edits inside of a section, in ascending order, and the one of its size that they make necessary. */
export function sectionEdits(section: Section, edits: readonly Edit[]): readonly Edit[] {
  if (edits.length === 0) return [];
  let size = section.end - section.body;
  for (const { start, end, bytes } of edits) size += bytes.length - (end - start);
  // The id is one byte, the size stands between it and the contents.
  return [{ start: section.start + 1, end: section.body, bytes: encodeU32(size) }, ...edits];
}

/** The module with all edits made, which do not overlap; the same bytes when there are none. */
export function applyEdits(bytes: Uint8Array, edits: readonly Edit[]): Uint8Array {
  if (edits.length === 0) return bytes;
  // What is put in at the end of a section stands before what follows the section.
  const ordered = edits.toSorted((a, b) => a.start - b.start || a.end - b.end);
  const growth = ordered.reduce((sum, edit) => sum + edit.bytes.length - (edit.end - edit.start), 0);
  const result = new Uint8Array(bytes.length + growth);
  let from = 0;
  let to = 0;
  for (const edit of ordered) {
    result.set(bytes.subarray(from, edit.start), to);
    to += edit.start - from;
    result.set(edit.bytes, to);
    to += edit.bytes.length;
    from = edit.end;
  }
  result.set(bytes.subarray(from), to);
  return result;
}
