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

export const EXPORT_MEMORY = [...name("memory"), 2, 0];

export interface ModuleParts {
  /** Further types, from index 1 on; type 0 is `() -> ()`. */
  types?: readonly (readonly number[])[];
  imports?: readonly (readonly number[])[];
  /** Contents of the memory section after its count; null for no section. Default: `min 1`. */
  memory?: readonly number[] | null;
  /** Name of the one function, of type `startType`. */
  start?: string;
  startType?: number;
  exportMemory?: boolean;
  /** Body of the one function, without locals and end. */
  body?: readonly number[];
}

/** A command module; every part may be replaced. */
export function commandModule(parts: ModuleParts = {}): Uint8Array<ArrayBuffer> {
  const { types = [], imports = [], memory = [0, 1], start = "_start", startType = 0, body = [] } = parts;
  const { exportMemory = memory !== null } = parts;
  const exports = [[...name(start), 0, ...leb(imports.length)]];
  if (exportMemory) exports.push(EXPORT_MEMORY);
  const code = [0, ...body, 0x0b];
  return Uint8Array.from([
    ...HEADER,
    ...section(1, vector([functionType([], []), ...types])),
    ...(imports.length > 0 ? section(2, vector(imports)) : []),
    ...section(3, vector([leb(startType)])),
    ...(memory === null ? [] : section(5, vector([memory]))),
    ...section(7, vector(exports)),
    ...section(10, vector([[...leb(code.length), ...code]])),
  ]);
}
