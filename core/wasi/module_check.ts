/** Makes an untrusted module fit to be compiled: everything that could hurt the process is refused before. */

import { WasimoffError } from "../errors.ts";
import type { ImportedMemory } from "./program.ts";
import { capMemory, cappedPages, type DeclaredMemory, readMemory, severalMemories } from "./memory_limits.ts";
import { checkCounts, checkLists } from "./module_counts.ts";
import { applyEdits, type Edit, sectionEdits } from "./module_edits.ts";
import { readExports } from "./module_exports.ts";
import { readImports } from "./module_imports.ts";
import { checkModuleKind } from "./module_kind.ts";
import { damaged, type ModuleReader } from "./module_reader.ts";
import { findSections, SECTION, sectionReader, type Sections } from "./module_sections.ts";
import { readTypes, type Types } from "./module_types.ts";
import { capTables } from "./table_limits.ts";

export interface ModuleLimits {
  /** Linear memory, bytes; rounded down to whole 64 KiB pages. */
  readonly maxMemoryBytes: number;
  /** The module itself, bytes. */
  readonly maxModuleBytes: number;
}

export interface PreparedModule {
  /** What is to be compiled. */
  readonly bytes: Uint8Array;
  /** The memory it imports; null when it brings its own or has none. */
  readonly importedMemory: ImportedMemory | null;
}

/**
 * Checks that the bytes are a WASI preview 1 command with at most one plain memory, and returns them ready for
 * `WebAssembly.compile` (which still checks all the rest): with the maxima of memory and tables lowered to the
 * limits, and without custom sections, which V8 would partly read. Throws `invalid_argument` with a line for people.
 */
export function prepareModule(bytes: Uint8Array, limits: ModuleLimits): PreparedModule {
  checkModuleKind(bytes);
  if (bytes.length > limits.maxModuleBytes) {
    throw refused(`it has ${bytes.length} bytes, more than the ${limits.maxModuleBytes} that are allowed`);
  }
  const sections = findSections(bytes);
  const largestFunction = checkCounts(bytes, sections.known);
  const read: ReadSection = (id) => sectionReader(bytes, sections.known, id);
  const typeSection = read(SECTION.type);
  const types = typeSection ? readTypes(typeSection) : NO_TYPES;
  checkLists(types.longestList, largestFunction);
  const { own, imported } = checkCommand(read, types);
  const memory = own ?? imported;
  const maximum = memory === null ? 0 : cappedPages(memory, limits.maxMemoryBytes);
  const memoryEdits = memory === null ? [] : capMemory(memory, maximum);
  const tables = read(SECTION.table);
  const edits = allEdits(sections, [
    [SECTION.table, tables === null ? [] : capTables(tables)],
    [own === null ? SECTION.import : SECTION.memory, memoryEdits],
  ]);
  return {
    bytes: applyEdits(bytes, edits),
    importedMemory: imported && { initial: imported.min, maximum },
  };
}

const NO_TYPES: Types = { signatures: [], longestList: 0 };

/** A reader of a section; null when the module does not have it. */
type ReadSection = (id: number) => ModuleReader | null;

interface Memories {
  readonly own: DeclaredMemory | null;
  readonly imported: DeclaredMemory | null;
}

/** Checks imports, exports and `_start`, and that there is one memory at most, which can be reached. */
function checkCommand(read: ReadSection, { signatures }: Types): Memories {
  const memorySection = read(SECTION.memory);
  const own = memorySection && readMemory(memorySection);
  const imports = read(SECTION.import);
  const { functions, memory: imported } = imports
    ? readImports(imports, signatures)
    : { functions: [], memory: null };
  if (own !== null && imported !== null) throw severalMemories(2);
  const exports = readExports(read(SECTION.export));
  const type = functions[exports.start] ??
    functionType(read(SECTION.function), exports.start - functions.length);
  if (signatures[type] !== ":") {
    throw refused(
      'its "_start" takes arguments or returns values: build a WASI command with a main function',
    );
  }
  if (own !== null && !exports.hasMemory) throw refused('its memory is not exported: export it as "memory"');
  if (read(SECTION.start) !== null) {
    throw refused(
      "it has a start section, which would run before its memory can be reached: build it to do all its work in " +
        '"_start", for example with asc --exportStart _start',
    );
  }
  return { own, imported };
}

/** The type index of the function at `position` of the function section. */
function functionType(reader: ModuleReader | null, position: number): number {
  if (!reader || position >= reader.count()) throw damaged('the function of "_start" is missing', 0);
  for (let before = 0; before < position; before++) reader.u32();
  return reader.u32();
}

/** The edits of some sections by id, and those that take the custom ones out. */
function allEdits({ known, custom }: Sections, changed: readonly [number, readonly Edit[]][]): Edit[] {
  const edits = custom.map(({ start, end }): Edit => ({ start, end, bytes: [] }));
  for (const [id, inside] of changed) {
    const section = known.get(id);
    if (section !== undefined) edits.push(...sectionEdits(section, inside));
  }
  return edits;
}

function refused(why: string): WasimoffError {
  return new WasimoffError("invalid_argument", `cannot run module: ${why}`);
}
