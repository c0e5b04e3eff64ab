/** Makes an untrusted module fit to be compiled: everything that could hurt the process is refused before. */

import { WasimoffError } from "../errors.ts";
import type { ImportedMemory } from "./program.ts";
import { capMemory, readMemory } from "./memory_limits.ts";
import { readImports } from "./module_imports.ts";
import { checkModuleKind } from "./module_kind.ts";
import { damaged, type ModuleReader } from "./module_reader.ts";
import { findSections, SECTION, sectionReader } from "./module_sections.ts";
import { readTypes } from "./module_types.ts";

const FUNCTION_KIND = 0;
const MEMORY_KIND = 2;

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
 * Checks that the bytes are a WASI preview 1 command with at most one plain memory, and returns them with that
 * memory's maximum lowered to the limit, ready for `WebAssembly.compile` (which still checks all the rest). A
 * module without any memory passes. Throws `invalid_argument` with a line for people.
 */
export function prepareModule(bytes: Uint8Array, limits: ModuleLimits): PreparedModule {
  checkModuleKind(bytes);
  if (bytes.length > limits.maxModuleBytes) {
    throw refused(`it has ${bytes.length} bytes, more than the ${limits.maxModuleBytes} that are allowed`);
  }
  const sections = findSections(bytes);
  const read = (id: number) => sectionReader(bytes, sections, id);

  const memorySection = sections.get(SECTION.memory);
  const memory = read(SECTION.memory);
  const memoryLimits = memory && readMemory(memory);
  const types = read(SECTION.type);
  const signatures = types ? readTypes(types) : [];
  const imports = read(SECTION.import);
  const imported = imports ? readImports(imports, signatures) : [];
  const exports = readExports(read(SECTION.export));

  checkStart(exports, (index) => {
    const type = imported[index] ?? functionType(read(SECTION.function), index - imported.length);
    return signatures[type] ?? null;
  });
  if (!memorySection || !memoryLimits) return { bytes, importedMemory: null };
  if (!exports.hasMemory) throw refused('its memory is not exported: export it as "memory"');
  const capped = capMemory(bytes, memorySection, { limits: memoryLimits, maxBytes: limits.maxMemoryBytes });
  return { bytes: capped, importedMemory: null };
}

interface Exports {
  /** Index of the function `_start`; null when there is none. */
  start: number | null;
  hasMemory: boolean;
  hasInitialize: boolean;
}

function readExports(reader: ModuleReader | null): Exports {
  const exports: Exports = { start: null, hasMemory: false, hasInitialize: false };
  for (let left = reader?.count() ?? 0; reader && left > 0; left--) {
    const name = reader.name();
    const kind = reader.byte();
    const index = reader.u32();
    if (kind === FUNCTION_KIND && name === "_start") exports.start = index;
    if (kind === FUNCTION_KIND && name === "_initialize") exports.hasInitialize = true;
    if (kind === MEMORY_KIND && name === "memory") exports.hasMemory = true;
  }
  return exports;
}

/** The type index of the function at `position` of the function section. */
function functionType(reader: ModuleReader | null, position: number): number {
  if (!reader || position >= reader.count()) throw damaged('the function of "_start" is missing', 0);
  for (let before = 0; before < position; before++) reader.u32();
  return reader.u32();
}

function checkStart(exports: Exports, signatureOf: (index: number) => string | null): void {
  if (exports.start === null) {
    const kind = exports.hasInitialize ? "a reactor (it exports _initialize)" : "a library";
    throw refused(
      `it is ${kind}, it has no function "_start": build a command with a main function, for example with ` +
        "clang without -mexec-model=reactor, or a Rust binary rather than a cdylib",
    );
  }
  if (signatureOf(exports.start) !== ":") {
    throw refused(
      'its "_start" takes arguments or returns values: build a WASI command with a main function',
    );
  }
}

function refused(why: string): WasimoffError {
  return new WasimoffError("invalid_argument", `cannot run module: ${why}`);
}
