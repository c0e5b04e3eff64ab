/** Reads the function types of a module as short signatures. */

import { refused } from "./module_refusal.ts";
import { damaged, type ModuleReader } from "./module_reader.ts";

/**
 * Parameters and results of a function as letters, `i` for i32, `I` for i64, `f`, `F` for floats, `?` for the
 * rest: `iIi:i`. Null is anything that is no function, or one with more parameters than WASI ever uses.
 */
export type Signature = string | null;

/** V8 would allow a million. Compilers for garbage-collected languages have thousands, others a hundred. */
export const MAX_TYPES = 100_000;

/** path_open, the longest of WASI, has nine parameters. */
const MAX_SIGNATURE_TYPES = 16;

const LETTERS: Readonly<Record<number, string>> = { 0x7f: "i", 0x7e: "I", 0x7d: "f", 0x7c: "F" };

/** Encodings of types (WebAssembly core specification 3.0, 5.3.7 to 5.3.13). */
const REC = 0x4e;
const SUB = 0x50;
const SUB_FINAL = 0x4f;
const FUNC = 0x60;
const STRUCT = 0x5f;
const ARRAY = 0x5e;
const REF = 0x64;
const REF_NULL = 0x63;

export interface Types {
  /** In the order of their indices. */
  readonly signatures: readonly Signature[];
  /** The greatest number of parameters, or of results. */
  readonly longestList: number;
  /** Whether there are types whose values live on the heap of the engine: structures and arrays. */
  readonly heapTypes: boolean;
}

/** What is found while reading. */
interface Findings {
  longestList: number;
  heapTypes: boolean;
}

/** Reads a type section. */
export function readTypes(reader: ModuleReader): Types {
  const types = { signatures: new Array<Signature>(), longestList: 0, heapTypes: false };
  const add = (form: number) => types.signatures.push(readType(reader, form, types));
  for (let left = reader.count(); left > 0; left--) {
    const form = reader.byte();
    if (form !== REC) {
      add(form);
      continue;
    }
    for (let members = reader.count(); members > 0; members--) add(reader.byte());
  }
  const count = types.signatures.length;
  if (count > MAX_TYPES) throw refused(`it has ${count} types, more than the ${MAX_TYPES} that are allowed`);
  return types;
}

function readType(reader: ModuleReader, form: number, findings: Findings): Signature {
  if (form === SUB || form === SUB_FINAL) {
    for (let supertypes = reader.count(); supertypes > 0; supertypes--) reader.u32();
    return readType(reader, skipSub(reader), findings);
  }
  switch (form) {
    case FUNC:
      return readFunction(reader, findings);
    case STRUCT:
      findings.heapTypes = true;
      for (let fields = reader.count(); fields > 0; fields--) readField(reader);
      return null;
    case ARRAY:
      findings.heapTypes = true;
      readField(reader);
      return null;
    default:
      throw damaged(`type ${form} is unknown`, reader.offset - 1);
  }
}

/** The form behind a subtype; a second `sub` in a row is no valid type, and would let bytes choose the stack depth. */
function skipSub(reader: ModuleReader): number {
  const form = reader.byte();
  if (form === SUB || form === SUB_FINAL) throw damaged("a subtype is nested", reader.offset - 1);
  return form;
}

function readFunction(reader: ModuleReader, lists: { longestList: number }): Signature {
  const parameterCount = reader.count();
  const parameters = readValueTypes(reader, parameterCount);
  const resultCount = reader.count();
  const results = readValueTypes(reader, resultCount);
  lists.longestList = Math.max(lists.longestList, parameterCount, resultCount);
  return parameters === null || results === null ? null : `${parameters}:${results}`;
}

function readValueTypes(reader: ModuleReader, count: number): string | null {
  let letters = "";
  for (let index = 0; index < count; index++) {
    const letter = readValueType(reader);
    if (index < MAX_SIGNATURE_TYPES) letters += letter;
  }
  return count > MAX_SIGNATURE_TYPES ? null : letters;
}

function readValueType(reader: ModuleReader): string {
  const type = reader.byte();
  if (type === REF || type === REF_NULL) reader.skipInteger();
  return LETTERS[type] ?? "?";
}

function readField(reader: ModuleReader): void {
  readValueType(reader);
  reader.byte(); // whether it is mutable
}
