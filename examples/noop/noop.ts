/** Writes noop.wasm, the smallest WASI command: it starts, does nothing and ends. Benches measure with it. */

/** WebAssembly core specification 5.5, section by section. */
const NOOP = Uint8Array.from([
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00], // "\0asm", version 1
  ...[0x01, 4, 1, 0x60, 0, 0], // types: () -> ()
  ...[0x03, 2, 1, 0], // functions: one of type 0
  ...[0x05, 3, 1, 0, 1], // memory: one page
  ...[0x07, 19, 2], // exports
  ...[6, 0x5f, 0x73, 0x74, 0x61, 0x72, 0x74, 0, 0], // "_start": function 0
  ...[6, 0x6d, 0x65, 0x6d, 0x6f, 0x72, 0x79, 2, 0], // "memory": memory 0
  ...[0x0a, 4, 1, 2, 0, 0x0b], // code: no locals, end
]);

await Deno.writeFile(new URL("noop.wasm", import.meta.url), NOOP);
