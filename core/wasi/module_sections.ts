/** Finds the sections of a core WebAssembly module, whatever the bytes are. */

import { damaged, ModuleReader } from "./module_reader.ts";

/** Ids of the sections that are read (WebAssembly core specification, 5.5.2). */
export const SECTION = {
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  global: 6,
  export: 7,
  start: 8,
  element: 9,
  code: 10,
  data: 11,
  tag: 13,
} as const;

/** Magic number and version. */
const HEADER_BYTES = 8;

/** Custom sections may appear any number of times; compilers write about twenty. */
const MAX_SECTIONS = 1_000;

const CUSTOM = 0;

/** The order the specification asks for: tags (13) before globals, data count (12) before code. */
const ORDER: readonly number[] = [1, 2, 3, 4, 5, 13, 6, 7, 8, 9, 12, 10, 11];

/** Where a section lies in the module, as byte offsets. */
export interface Section {
  /** Where its id is. */
  readonly start: number;
  /** Where its contents begin. */
  readonly body: number;
  readonly end: number;
}

export interface Sections {
  /** By id. */
  readonly known: ReadonlyMap<number, Section>;
  /** Names, debugging information and the like, which no program needs. */
  readonly custom: readonly Section[];
}

/** Finds all sections. Throws `invalid_argument` when they do not fill the bytes exactly. */
export function findSections(bytes: Uint8Array): Sections {
  const known = new Map<number, Section>();
  const custom: Section[] = [];
  const reader = new ModuleReader(bytes, HEADER_BYTES);
  let last = -1;
  for (let count = 0; reader.remaining > 0; count++) {
    const start = reader.offset;
    if (count === MAX_SECTIONS) throw damaged("it has too many sections", start);
    const id = reader.byte();
    const size = reader.u32();
    const body = reader.offset;
    reader.skip(size);
    const section = { start, body, end: reader.offset };
    if (id === CUSTOM) {
      custom.push(section);
      continue;
    }
    const position = ORDER.indexOf(id);
    if (position < 0) throw damaged(`section ${id} is unknown`, start);
    if (position <= last) throw damaged(`section ${id} is out of order`, start);
    last = position;
    known.set(id, section);
  }
  return { known, custom };
}

/** A reader over the contents of one section; over nothing when the module does not have it. */
export function sectionReader(
  bytes: Uint8Array,
  sections: ReadonlyMap<number, Section>,
  id: number,
): ModuleReader | null {
  const section = sections.get(id);
  return section === undefined ? null : new ModuleReader(bytes, section.body, section.end);
}
