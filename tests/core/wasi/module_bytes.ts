/** Small modules, byte by byte. */

const HEADER = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

export function bytes(...values: number[]): Uint8Array {
  return new Uint8Array(values);
}

/** Compiles a module of these sections; a type section for `() -> ()` is put first where there is none. */
export function moduleOf(...sections: Uint8Array[]): WebAssembly.Module {
  const types = sections[0]?.[0] === 1 ? [] : [bytes(1, 4, 1, 0x60, 0, 0)];
  const all = [bytes(...HEADER), ...types, ...sections].flatMap((section) => [...section]);
  return new WebAssembly.Module(new Uint8Array(all));
}

/** An import section with one function of type 0. */
export function importSection(module: string, name: string): Uint8Array {
  const encoded = [...text(module), ...text(name), 0, 0];
  return bytes(2, encoded.length + 1, 1, ...encoded);
}

/** A code section with one body. */
export function code(body: readonly number[]): Uint8Array {
  return bytes(10, body.length + 3, 1, body.length + 1, 0, ...body);
}

/** After one imported function: a function that does nothing, exported as `_start`. */
export const START_EXPORT: readonly Uint8Array[] = [
  bytes(3, 2, 1, 0),
  bytes(7, 10, 1, ...text("_start"), 0, 1),
  code([0x0b]),
];

function text(value: string): number[] {
  return [value.length, ...new TextEncoder().encode(value)];
}
