/** Builds small WebAssembly modules byte by byte, valid and broken ones. */

export const HEADER: readonly number[] = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
export const I32 = 0x7f;
export const I64 = 0x7e;

/** Unsigned LEB128. */
export function leb(value: number): number[] {
  return value < 0x80 ? [value] : [value % 0x80 | 0x80, ...leb(Math.floor(value / 0x80))];
}

export function name(text: string): number[] {
  const bytes = new TextEncoder().encode(text);
  return [...leb(bytes.length), ...bytes];
}

export function vector(items: readonly (readonly number[])[]): number[] {
  return [...leb(items.length), ...items.flat()];
}

export function section(id: number, contents: readonly number[]): number[] {
  return [id, ...leb(contents.length), ...contents];
}

export function functionType(parameters: readonly number[], results: readonly number[]): number[] {
  return [0x60, ...leb(parameters.length), ...parameters, ...leb(results.length), ...results];
}

export function importedFunction(module: string, field: string, type: number): number[] {
  return [...name(module), ...name(field), 0, ...leb(type)];
}

/** `limits` are flags, minimum and, where the flags say so, maximum. */
export function importedMemory(module: string, field: string, limits: readonly number[]): number[] {
  return [...name(module), ...name(field), 2, ...limits];
}

export const EXPORT_MEMORY = [...name("memory"), 2, 0];

export interface ModuleParts {
  /** Further types, from index 1 on; type 0 is `() -> ()`. */
  types?: readonly (readonly number[])[];
  imports?: readonly (readonly number[])[];
  /** Imports behind those of functions. */
  memoryImports?: readonly (readonly number[])[];
  /** Contents of the memory section after its count; null for no section. Default: `min 1`. */
  memory?: readonly number[] | null;
  /** Name of the one function, of type `startType`. */
  start?: string;
  startType?: number;
  exportMemory?: boolean;
  /** Exports behind those of the function and the memory. */
  exports?: readonly (readonly number[])[];
  /** Body of the one function, without locals and end. */
  body?: readonly number[];
  /** Contents of further sections by id; custom ones (0) come last. */
  sections?: Readonly<Record<number, readonly number[]>>;
}

const SECTION_ORDER = [1, 2, 3, 4, 5, 13, 6, 7, 8, 9, 12, 10, 11, 0];

/** A command module; every part may be replaced. */
export function commandModule(parts: ModuleParts = {}): Uint8Array<ArrayBuffer> {
  const { types = [], imports = [], memoryImports = [], start = "_start", startType = 0, body = [] } = parts;
  const { memory = memoryImports.length > 0 ? null : [0, 1] } = parts;
  const { exportMemory = memory !== null } = parts;
  const exports: (readonly number[])[] = [[...name(start), 0, ...leb(imports.length)]];
  if (exportMemory) exports.push(EXPORT_MEMORY);
  if (parts.exports) exports.push(...parts.exports);
  const code = [0, ...body, 0x0b];
  const allImports = [...imports, ...memoryImports];
  const contents: Record<number, readonly number[]> = {
    1: vector([functionType([], []), ...types]),
    ...(allImports.length > 0 ? { 2: vector(allImports) } : {}),
    3: vector([leb(startType)]),
    ...(memory === null ? {} : { 5: vector([memory]) }),
    7: vector(exports),
    10: vector([[...leb(code.length), ...code]]),
    ...parts.sections,
  };
  const sections = SECTION_ORDER.flatMap((id) => contents[id] ? section(id, contents[id]) : []);
  return Uint8Array.from([...HEADER, ...sections]);
}

/** Grows a table by repeating its first value, as null may not be one. */
export function growTable(table: WebAssembly.Table, entries: number): void {
  // The type definitions that come with TypeScript do not have the second parameter.
  const grown = table as unknown as { grow(entries: number, value: unknown): number };
  grown.grow(entries, table.length > 0 ? table.get(0) : null);
}
