/** Finds the end of a constant expression, which is all that stands between the items of some sections. */

import { WasimoffError } from "../errors.ts";
import type { ModuleReader } from "./module_reader.ts";

const END = 0x0b;
const GC_PREFIX = 0xfb;
const SIMD_PREFIX = 0xfd;
const V128_CONST = 12;
const V128_BYTES = 16;

/**
 * Immediates after each instruction that may stand in one (core specification 3.0, 3.4.13): `n` for an integer of up
 * to 64 bits, `4` and `8` for that many bytes.
 */
const IMMEDIATES: Readonly<Record<number, string>> = {
  0x23: "n", // global.get
  0x41: "n", // i32.const
  0x42: "n", // i64.const
  0x43: "4", // f32.const
  0x44: "8", // f64.const
  0x6a: "", // i32.add, sub, mul
  0x6b: "",
  0x6c: "",
  0x7c: "", // i64.add, sub, mul
  0x7d: "",
  0x7e: "",
  0xd0: "n", // ref.null
  0xd2: "n", // ref.func
};

/** The same after `GC_PREFIX`. */
const GC_IMMEDIATES: Readonly<Record<number, string>> = {
  0: "n", // struct.new
  1: "n", // struct.new_default
  6: "n", // array.new
  7: "n", // array.new_default
  8: "nn", // array.new_fixed
  26: "", // any.convert_extern
  27: "", // extern.convert_any
  28: "", // ref.i31
};

/** Moves behind the `end` of the expression. Throws `invalid_argument` at an instruction that may not be there. */
export function skipConstantExpression(reader: ModuleReader): void {
  for (;;) {
    const opcode = reader.byte();
    if (opcode === END) return;
    const immediates = opcode === GC_PREFIX
      ? GC_IMMEDIATES[reader.u32()]
      : opcode === SIMD_PREFIX
      ? (reader.u32() === V128_CONST ? "v" : undefined)
      : IMMEDIATES[opcode];
    if (immediates === undefined) {
      throw new WasimoffError(
        "invalid_argument",
        "cannot run module: a table begins with something unknown: build it with standard features only",
      );
    }
    for (const kind of immediates) {
      if (kind === "n") reader.skipInteger();
      else reader.skip(kind === "v" ? V128_BYTES : Number(kind));
    }
  }
}
