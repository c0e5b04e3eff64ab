/** Makes an untrusted module fit to be compiled: everything that could hurt the process is refused before. */

import { refused } from "./module_refusal.ts";
import type { ImportedMemory } from "./program.ts";
import { capMemory, cappedPages, type DeclaredMemory, readMemory, severalMemories } from "./memory_limits.ts";
import { checkCounts, checkLists } from "./module_counts.ts";
import { applyEdits, type Edit, sectionEdits } from "./module_edits.ts";
import { exportStart, readExports, START_EXPORT } from "./module_exports.ts";
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
  /** Whether it may use garbage collection, which fills a heap that no check of a module can bound. */
  readonly heapTypes: boolean;
}

export interface PreparedModule {
  /** What is to be compiled. */
  readonly bytes: Uint8Array;
  /** The memory it imports; null when it brings its own or has none. */
  readonly importedMemory: ImportedMemory | null;
  /** An export to call before `_start`, in the place of a start section; null when it had none. */
  readonly startExport: string | null;
}

/**
 * Checks that the bytes are a WASI preview 1 command with at most one plain memory, and returns them ready for
 * `WebAssembly.compile` (which still checks all the rest): with the maxima of memory and tables lowered to the
 * limits, without custom sections, which V8 would partly read, and with an export in the place of a start section,
 * which would run before the memory can be reached and where nothing can be suspended. Throws `invalid_argument` with a line for people.
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
  if (types.heapTypes && !limits.heapTypes) {
    throw refused("it uses garbage collection, which cannot be limited in a browser: run it on a machine");
  }
  const { own, imported, start } = checkCommand(read, types);
  const memory = own ?? imported;
  const maximum = memory === null ? 0 : cappedPages(memory, limits.maxMemoryBytes);
  const memoryEdits = memory === null ? [] : capMemory(memory, maximum);
  const tables = read(SECTION.table);
  const exports = read(SECTION.export);
  const edits = allEdits(sections, [
    [SECTION.table, tables === null ? [] : capTables(tables)],
    [own === null ? SECTION.import : SECTION.memory, memoryEdits],
    [SECTION.export, start === null || exports === null ? [] : exportStart(exports, start)],
  ]);
  return {
    bytes: applyEdits(bytes, edits),
    importedMemory: imported && { initial: imported.min, maximum },
    startExport: start === null ? null : START_EXPORT,
  };
}

const NO_TYPES: Types = { signatures: [], longestList: 0, heapTypes: false };

/** A reader of a section; null when the module does not have it. */
type ReadSection = (id: number) => ModuleReader | null;

interface Command {
  readonly own: DeclaredMemory | null;
  readonly imported: DeclaredMemory | null;
  /** Index of the function that its start section names. */
  readonly start: number | null;
}

/** Checks imports, exports and `_start`, and that there is one memory at most, which can be reached. */
function checkCommand(read: ReadSection, { signatures }: Types): Command {
  const memorySection = read(SECTION.memory);
  const own = memorySection && readMemory(memorySection);
  const imports = read(SECTION.import);
  const { functions, memory: imported } = imports
    ? readImports(imports, signatures)
    : { functions: [], memory: null };
  if (own !== null && imported !== null) throw severalMemories(2);
  const exports = readExports(read(SECTION.export));
  const start = read(SECTION.start)?.u32() ?? null;
  for (const index of start === null ? [exports.start] : [exports.start, start]) {
    const type = functions[index] ?? functionType(read(SECTION.function), index - functions.length);
    if (signatures[type] === ":") continue;
    const which = index === exports.start ? 'its "_start"' : "its start function";
    throw refused(`${which} takes arguments or returns values: build a WASI command with a main function`);
  }
  if (own !== null && !exports.hasMemory) throw refused('its memory is not exported: export it as "memory"');
  return { own, imported, start };
}

/** The type index of the function at `position` of the function section. */
function functionType(reader: ModuleReader | null, position: number): number {
  if (!reader || position >= reader.count()) throw damaged('the function of "_start" is missing', 0);
  for (let before = 0; before < position; before++) reader.u32();
  return reader.u32();
}

/** The edits of some sections by id, and those that take out the start section and the custom ones. */
function allEdits({ known, custom }: Sections, changed: readonly [number, readonly Edit[]][]): Edit[] {
  const start = known.get(SECTION.start);
  const dropped = start === undefined ? custom : [...custom, start];
  const edits = dropped.map(({ start, end }): Edit => ({ start, end, bytes: [] }));
  for (const [id, inside] of changed) {
    const section = known.get(id);
    if (section !== undefined) edits.push(...sectionEdits(section, inside));
  }
  return edits;
}
